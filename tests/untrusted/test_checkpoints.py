"""Checkpoints from strangers."""

import io
import os
import pickle
import socket
import zipfile
from pathlib import Path

import pytest
import torch

from untrusted.conftest import in_time
from zoomvqa.checkpoints import load_checkpoint, weights_file
from zoomvqa.errors import CheckpointError, UserError

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol", "ignore:Validating sparse")


class Runs:
    """An object whose unpickling runs a program."""

    def __init__(self, *call: object) -> None:
        self._call = call

    def __reduce__(self) -> tuple:
        function, *arguments = self._call
        return function, tuple(arguments)


@pytest.mark.parametrize(
    "call",
    [
        (os.system, "touch pwned"),
        (eval, "open('pwned', 'w')"),
        (exec, "open('pwned', 'w')"),
        (open, "pwned", "w"),
        (os.mkdir, "pwned"),
        (torch.load, "good.mp4"),
        (getattr, torch.nn.Module, "load"),
        (socket.create_connection, ("127.0.0.1", 9)),
    ],
)
@pytest.mark.parametrize("form", ["zip", "legacy", "pickle"])
def test_checkpoints_with_code(work, call, form):
    content = {"state_dict": {"a": torch.zeros(1)}, "zoomvqa": Runs(*call)}
    if form == "pickle":
        (work / "t.ckpt").write_bytes(pickle.dumps(content))
    else:
        torch.save(content, work / "t.ckpt", _use_new_zipfile_serialization=form == "zip")
    with in_time(), pytest.raises(CheckpointError, match="refused|damaged or not a checkpoint"):
        load_checkpoint(work / "t.ckpt")


def test_paths_of_checkpoints(work, address):
    os.mkfifo(work / "t.pipe")
    (work / "t.loop").symlink_to("t.loop")
    (work / "t.folder").mkdir()
    (work / "t.text").write_text("no checkpoint")
    (work / "t.link").symlink_to("t.text")
    places = ["t.pipe", "t.loop", "t.folder", "t.link", "/dev/zero", "/dev/stdin", "/proc/self/mem", "~nobody.x/y"]
    for place in [
        *places,
        f"http://{address}/a.ckpt",
        f"s3://{address}/a",
        "$(touch pwned)",
        "x" * 10_000,
        "a\0b",
    ]:
        with in_time(), pytest.raises((UserError, OSError, RuntimeError)) as refused:
            load_checkpoint(weights_file(place, "ckpt"))
        assert len(str(refused.value).splitlines()) == 1


def with_pickle(path: Path, change) -> None:
    """Rewrite the pickle within a checkpoint."""
    held = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            new.writestr(item.filename, change(data) if item.filename.endswith("/data.pkl") else data)


def test_a_checkpoint_that_claims_more_than_it_holds(work):
    torch.save({"state_dict": {"a": torch.zeros(4)}}, work / "t.ckpt")

    def claims_more(data: bytes) -> bytes:
        at = data.index(b"K\x04", data.index(b"cpu"))
        return data[:at] + b"\x8a\x06" + (2**40).to_bytes(6, "little") + data[at + 2 :]

    with_pickle(work / "t.ckpt", claims_more)
    with in_time(), pytest.raises(CheckpointError, match="damaged or not a checkpoint"):
        load_checkpoint(work / "t.ckpt")


@pytest.mark.parametrize(
    "content",
    [
        {"zoomvqa": 3, "state_dict": {}},
        {"zoomvqa": {"format": 2, "branch": ["iqa"]}, "state_dict": {}},
        {"zoomvqa": {"format": 2, "branch": "iqa", "network": {"backbone": "../../etc/passwd"}}, "state_dict": {}},
        {"zoomvqa": {"format": 2, "branch": "iqa", "config": "$(touch pwned)"}, "state_dict": {"net.a": "b"}},
        {"zoomvqa": {"format": "2; touch pwned", "branch": "iqa"}, "state_dict": {}},
        {"state_dict": {1: 2, None: torch.zeros(1)}},
        {"state_dict": [torch.zeros(1)]},
        {"state_dict": {"a": torch.zeros(1, dtype=torch.complex64)}},
        {"state_dict": {"a": torch.zeros(3).to_sparse()}},
        {"state_dict": {"a": torch.tensor(float("nan"))}},
        {},
        torch.zeros(3),
    ],
)
def test_checkpoints_of_other_types(work, content):
    torch.save(content, work / "t.ckpt")
    with in_time(), pytest.raises(CheckpointError) as refused:
        load_checkpoint(work / "t.ckpt")
    assert len(str(refused.value).splitlines()) == 1


def test_a_checkpoint_that_grows_when_it_is_read(work):
    torch.save({"state_dict": {"a": torch.zeros(3_000_000)}}, work / "t.big")
    with zipfile.ZipFile(work / "t.big") as old, zipfile.ZipFile(work / "t.ckpt", "w") as new:
        for item in old.infolist():
            new.writestr(item.filename, old.read(item), compress_type=zipfile.ZIP_DEFLATED)
    with in_time(), pytest.raises(CheckpointError, match="refused, it holds .* bytes and claims to be"):
        load_checkpoint(work / "t.ckpt")


def test_a_description_without_end(work):
    torch.save({"zoomvqa": {}, "state_dict": {}}, work / "t.ckpt")

    def text(told: str) -> bytes:
        return b"X" + len(told).to_bytes(4, "little") + told.encode()

    nested = b"}" + (text("a") + b"}") * 100_000 + b"s" * 100_000
    entry = (
        b"}" + text("format") + b"K\x02s" + text("branch") + text("iqa") + b"s" + text("config") + nested + b"s"
    )
    whole = b"\x80\x02}" + text("zoomvqa") + entry + b"s" + text("state_dict") + b"}s."
    with_pickle(work / "t.ckpt", lambda _: whole)
    with in_time(), pytest.raises(CheckpointError, match="nested without end"):
        load_checkpoint(work / "t.ckpt")
