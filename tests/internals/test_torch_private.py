"""What of torch may be gone one day; the layers themselves are tested in `tests/models/test_plain_form.py`."""

import pytest
import torch

from zoomvqa.internals.torch_private import can_multiply, follow, remove_build_locks


@pytest.mark.parametrize("missing", ["_foreach_mul_", "_foreach_add_"])
def test_an_average_follows_without_the_calls_for_many(monkeypatch, missing):
    draw = torch.Generator().manual_seed(0)
    tensors = [torch.randn(3, 5, generator=draw) for _ in range(4)]
    averages = [[t.clone() for t in tensors[:2]] for _ in range(2)]
    follow(averages[0], tensors[2:], 0.9)
    monkeypatch.delattr(torch, missing)
    follow(averages[1], tensors[2:], 0.9)
    assert all(torch.equal(one, other) for one, other in zip(*averages, strict=True))


def test_without_onednn_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not can_multiply(torch.float32)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["lock", "build.lock"])
def test_locks_of_a_killed_build_are_removed(tmp_path, name):
    for each in (name, "build.ninja", "a.so"):
        (tmp_path / each).touch()
    remove_build_locks(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.so", "build.ninja"]
    remove_build_locks(tmp_path)
