"""Batches from worker processes, with and without room in shared memory."""

import pickle

import pytest
import torch

from zoomvqa.data import transfer
from zoomvqa.data.batch import Batch, UnreadVideo
from zoomvqa.data.transfer import Piped, to_main_process


def batch() -> Batch:
    crops = torch.rand(2, 1, 1, 1, 3, 8, 8)
    return Batch({"iqa": crops}, torch.tensor([1.0, 2.0]), ("a: gone",), torch.tensor([0, 1]))


def test_shared_memory_where_there_is_room():
    sent = batch()
    assert to_main_process(sent) is sent
    assert all(tensor.is_shared() for tensor in (sent.inputs["iqa"], sent.mos, sent.sets))


@pytest.mark.parametrize(
    "sent",
    [
        batch(),
        Batch({"vqa": torch.zeros(1, 1, 2, 4, 4, 3, dtype=torch.uint8)}, torch.ones(1)),
        UnreadVideo(torch.tensor(3.0), torch.tensor(7), ("a: gone",)),
    ],
)
def test_a_pipe_where_there_is_none(monkeypatch, capsys, sent):
    def no_room(_):
        raise RuntimeError("unable to allocate shared memory(shm): No space left on device (28)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", no_room)
    monkeypatch.setattr(transfer, "_told", False)
    found = to_main_process(sent)
    assert isinstance(found, Piped)
    told = []
    for _ in range(2):
        came = pickle.loads(pickle.dumps(found))  # noqa: S301
        told.append(capsys.readouterr().err)
    assert "has no room for the workers' batches" in told[0]
    assert told[1] == ""
    assert type(came) is type(sent)
    for name, value in vars(sent).items():
        for one, other in zip(flat(value), flat(getattr(came, name)), strict=True):
            assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    came.mos.add_(1)  # it is no view of bytes that cannot be written


def flat(value) -> list:
    return [*value.values()] if isinstance(value, dict) else [value]
