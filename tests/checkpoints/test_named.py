"""Weights by name, from a server on localhost."""

import pytest
import torch
from server import serving

from zoomvqa.checkpoints import NAMED, weights_file
from zoomvqa.errors import CheckpointError, ToolError

NAME = "fast-vqa-b"
FILE = NAMED[NAME].file


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    torch.save({"state_dict": {"a": torch.arange(5.0)}}, tmp_path / "weights")
    with serving() as state:
        state.files[f"/w/{FILE}"] = (tmp_path / "weights").read_bytes()
        monkeypatch.setenv("ZOOMVQA_WEIGHTS_URL", f"{state.address}/w/")
        yield state


def test_a_local_file_needs_no_network(tmp_path):
    (tmp_path / "x.pth").write_bytes(b"")
    assert weights_file(str(tmp_path / "x.pth"), "ckpt") == tmp_path / "x.pth"


def test_downloaded_once(mirror, own_cache, capsys):
    path = weights_file(NAME, "ckpt")
    assert path == own_cache / "weights" / FILE
    assert path.read_bytes() == mirror.files[f"/w/{FILE}"]
    assert path.with_name(FILE + ".sha256").read_text().split()[1] == FILE
    told = " ".join(capsys.readouterr().err.split())
    assert f"Downloaded {NAME} to" in told
    assert "recorded" in told
    assert weights_file(NAME, "ckpt") == path
    assert len(mirror.asked) == 1


def test_a_damaged_cache_is_found(mirror, own_cache):
    path = weights_file(NAME, "ckpt")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckpointError, match="is not what was downloaded .* delete it"):
        weights_file(NAME, "ckpt")


def test_what_is_no_checkpoint_is_not_kept(mirror, own_cache):
    mirror.files[f"/w/{FILE}"] = b"no checkpoint at all"
    with pytest.raises(ToolError, match=f"ckpt={NAME}: .* gives something else .*; a copy can be put at"):
        weights_file(NAME, "ckpt")
    assert not (own_cache / "weights" / FILE).exists()


def test_a_copy_put_there_by_hand(mirror, own_cache, tmp_path):
    (own_cache / "weights").mkdir(parents=True)
    torch.save({}, own_cache / "weights" / FILE)
    assert weights_file(NAME, "weights") == own_cache / "weights" / FILE
    assert mirror.asked == []


def test_a_folder_as_mirror(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOOMVQA_WEIGHTS_URL", str(tmp_path))
    with pytest.raises(CheckpointError, match=f"ZOOMVQA_WEIGHTS_URL: there is no {FILE} in the folder"):
        weights_file(NAME, "ckpt")
    (tmp_path / FILE).write_bytes(b"x")
    assert weights_file(NAME, "ckpt") == tmp_path / FILE


def test_a_name_that_is_none():
    with pytest.raises(
        CheckpointError, match=r"weights: no such file: fast-vqa-bb \(did you mean 'fast-vqa-b'\?\)"
    ):
        weights_file("fast-vqa-bb", "weights")


def test_addresses():
    assert all(n.address.startswith("https://github.com/") and n.file for n in NAMED.values())
