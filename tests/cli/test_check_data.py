"""`scripts/check_data.py`: a labelled set looked over."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from cli.conftest import Run
from cli.test_mistakes import one_line
from cli.test_train_vqa import read
from zoomvqa.checking import check


@pytest.fixture
def damaged(labelled, tmp_path) -> Path:
    """The labelled folder with a file that is gone, one that is broken, a copy, a stray row and a leak."""
    folder = tmp_path / "set"
    shutil.copytree(labelled, folder)
    rows = list(csv.reader((labelled / "scores.csv").open()))
    names = [row[0] for row in rows[1:]]
    (folder / names[0]).unlink()
    (folder / names[2]).write_bytes(b"nothing")
    shutil.copy(folder / names[4], folder / names[6])
    splits = ["split", *["train"] * 4, *["val"] * 2, *["test"] * 5, "train"]
    with (folder / "scores.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([[*row, split] for row, split in zip(rows, splits, strict=True)])
    return folder


def arguments(folder: Path) -> tuple[str, ...]:
    return ("data=folder", f"data.root={folder}", f"data.annotations={folder / 'scores.csv'}", "workers=2")


def test_a_sound_set_and_once_more(command: Run, labelled, tmp_path, monkeypatch):
    outcome = command("check_data", *arguments(labelled), "output=out", "data.val_share=0.4")
    assert outcome.code == 0, outcome.err
    assert "problem" not in outcome.err
    files = read(tmp_path / "out" / "folder" / "files.csv")
    assert len(files) == 12
    assert {(f["frames"], f["width"], f["seconds"]) for f in files} == {("26", "160", "1.040")}
    assert [f["kind"] for f in json.loads((tmp_path / "out" / "folder" / "findings.json").read_text())] == []
    with Image.open(tmp_path / "out" / "folder" / "check.png") as picture:
        assert len(picture.convert("L").getcolors()) > 20
    # What was looked at is not looked at again.
    monkeypatch.setattr(
        check, "run_isolated", lambda _, items, **__: iter([pytest.fail("again")] if items else [])
    )
    again = command("check_data", *arguments(labelled), "output=out", "data.val_share=0.4")
    assert again.code == 0, again.err
    assert read(tmp_path / "out" / "folder" / "files.csv") == files


def test_everything_that_is_wrong_is_told_at_once(command: Run, damaged, tmp_path):
    outcome = command("check_data", *arguments(damaged), "output=out")
    assert outcome.code == 1
    files = read(tmp_path / "out" / "folder" / "files.csv")
    assert sum(bool(f["problem"]) for f in files) == 2
    told = "\n".join(f["text"] for f in json.loads((tmp_path / "out" / "folder" / "findings.json").read_text()))
    assert "1 videos cannot be used: no such file under the root" in told
    assert "not a readable video" in told or "1 videos cannot be used: " in told
    assert "1 files are there more than once, 1 of them on two sides of the split" in told
    assert "1 contents are on more than one side of the split: yuvtestsrc" in told
    assert "problem: 1 contents" in outcome.err


def test_a_name_listed_twice(command: Run, damaged, tmp_path):
    with (damaged / "scores.csv").open("a") as handle:
        handle.write((damaged / "scores.csv").read_text().splitlines()[3] + "\n")
    assert command("check_data", *arguments(damaged), "output=out", "decode=false").code == 1
    told = (tmp_path / "out" / "folder" / "findings.json").read_text()
    assert "1 videos are listed more than once" in told
    assert len(read(tmp_path / "out" / "folder" / "files.csv")) == 12


def test_files_of_two_sets(command: Run, labelled, tmp_path):
    keys = (f"root={labelled}", f"annotations={labelled / 'scores.csv'}", "val_share=0.4")
    sets = [f"data.sets.{name}.{key}" for name in ("folder", "youtube_ugc") for key in keys]
    data = "data=[folder,youtube_ugc]"
    outcome = command("check_data", data, *sets, "output=out", "workers=2", "decode=false")
    assert outcome.code == 1
    assert "12 files are in folder and in youtube_ugc, for example" in outcome.err
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"folder", "youtube_ugc"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "data: a value is missing"),
        (["data=foldr"], "(did you mean 'folder'?)"),
        (["data=folder", "data.root=nowhere", "data.annotations=t.csv"], "data.root is not a folder: nowhere"),
        (["data=folder", "data.root=.", "data.annotations=none.csv"], "no such annotation file: none.csv"),
        (["data=folder", "data.root=.", "data.annotations=t.csv", "workers=0"], "workers: got 0"),
        (["data=folder", "data.root=.", "data.annotations=t.csv", "decode=maybe"], "decode: got 'maybe'"),
    ],
)
def test_mistakes(command: Run, tmp_path, words, message):
    (tmp_path / "t.csv").write_text("video,mos\na.mp4,1\n")
    one_line(command("check_data", *words), message)
