"""Checkpoints are written whole, or not at all."""

from pathlib import Path

import pytest
import torch

from zoomvqa.training.whole_checkpoints import WholeCheckpoints


def test_written_and_read(tmp_path: Path):
    path = tmp_path / "run" / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"weights": torch.arange(3)}, path)
    found = WholeCheckpoints().load_checkpoint(path, weights_only=True)
    assert torch.equal(found["weights"], torch.arange(3))
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_one_before(tmp_path: Path, monkeypatch):
    path = tmp_path / "last.ckpt"
    writes = WholeCheckpoints()
    writes.save_checkpoint({"epoch": 1}, path)

    def cut(_: object, handle) -> None:
        handle.write(b"half a checkpoint")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", cut)
    with pytest.raises(OSError, match="No space left"):
        writes.save_checkpoint({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_goes_by_the_folder_for_temporary_files(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    WholeCheckpoints().save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")
    assert (tmp_path / "last.ckpt").is_file()
