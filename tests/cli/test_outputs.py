"""Outputs that are inputs, or files of somebody else: no command writes over them."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from cli.conftest import SMALL, Run, on
from cli.test_mistakes import one_line
from zoomvqa.scoring.rows import is_details, is_scores, read_columns

MOS = "video,mos\na.mp4,1\nb.mp4,2\n"


@pytest.fixture
def best(trained) -> str:
    return f"ckpt={trained / 'checkpoints' / 'best.ckpt'}"


@pytest.fixture
def two(labelled, tmp_path) -> Path:
    """A folder with two videos and a table that names them."""
    for path in sorted(labelled.glob("*.mp4"))[:2]:
        shutil.copy(path, tmp_path / path.name)
    names = [path.name for path in sorted(tmp_path.glob("*.mp4"))]
    (tmp_path / "mos.csv").write_text("video,mos\n" + "".join(f"{name},{i}\n" for i, name in enumerate(names)))
    return tmp_path


def test_predict_never_writes_over_what_it_reads(command: Run, best, two):
    before = {path: path.read_bytes() for path in two.iterdir() if path.is_file()}
    (two / "link.csv").symlink_to("mos.csv")
    for output in ("mos.csv", "./mos.csv", "link.csv"):
        for more in ((), ("overwrite=true",)):
            outcome = command("predict", best, "input=mos.csv", f"output={output}", *more)
            one_line(outcome, f"output: {Path(output)} is read by this command (input=mos.csv); give another name")
    data = ("data=folder", "data.root=.", "data.annotations=mos.csv", "data.val_share=0.5", "data.contents=unique")
    one_line(command("predict", best, *data, "output=mos.csv", "overwrite=true"), "(data.annotations=mos.csv)")
    video = next(two.glob("*.mp4")).rename(two / "video.csv")
    (two / "list.txt").write_text("video.csv\n")
    one_line(command("predict", best, "input=list.txt", "output=video.csv"), "this command did not write it")
    outcome = command("predict", best, "input=list.txt", "output=video.csv", "overwrite=true")
    one_line(outcome, "output: video.csv is read by this command")
    video.rename(next(path for path in before if not path.exists()))
    (two / "details.csv").unlink(missing_ok=True)
    assert {path: path.read_bytes() for path in before} == before


def test_predict_leaves_files_of_somebody_else(command: Run, best, two):
    way = "and this command did not write it; give another name, or overwrite=true"
    for name, data in (("s.csv", MOS), ("s.jsonl", '{"a": 1}\n'), ("s.parquet", "PAR1 and more"), ("s.csv", "a")):
        (two / name).write_text(data)
        one_line(command("predict", best, "input=mos.csv", f"output={name}"), f"output: {name} is there, {way}")
        assert (two / name).read_text() == data
    (two / "s.csv").unlink()
    (two / "s.details.csv").write_text(MOS)
    arguments = (best, "input=mos.csv", "output=s.csv", "workers=0", "details=true")
    one_line(command("predict", *arguments), f"output: s.details.csv is there, {way}")
    (two / "s.csv.part").write_text("mine")
    outcome = command("predict", *arguments, "overwrite=true")
    assert outcome.code == 2
    assert "output: s.csv.part is in the way, and this command did not write it" in outcome.err
    assert (two / "s.csv.part").read_text() == "mine"
    (two / "s.csv.part").unlink()
    assert command("predict", *arguments, "overwrite=true").code == 0


def test_the_same_command_writes_its_own_output_again(command: Run, best, two):
    for ending in ("csv", "jsonl", "parquet"):
        for _ in range(2):
            outcome = command("predict", best, "input=mos.csv", f"output=s.{ending}", "workers=0", "details=true")
            assert outcome.code == 0, outcome.err
        scores, details = (read_columns(two / f"{name}.{ending}") for name in ("s", "s.details"))
        assert scores[:5] == ["video", "score", "status", "error", "iqa"]
        assert (is_scores(scores), is_details(scores)) == (True, False)
        assert (is_scores(details), is_details(details)) == (False, True)


def test_fuse(command: Run, tmp_path):
    (tmp_path / "i.txt").write_text("a.mp4,1\nb.mp4,2\n")
    (tmp_path / "v.txt").write_text("a.mp4,1\nb.mp4,2\n")
    (tmp_path / "o.txt").write_text("a.mp4,3\nb.mp4,4\n")
    files = ("iqa=i.txt", "vqa=v.txt")
    for more in ((), ("overwrite=true",)):
        one_line(command("fuse", *files, "output=./v.txt", *more), "output: v.txt is read by this command (vqa=v")
    one_line(command("fuse", *files, "output=o.txt"), "output: o.txt is there, and this command did not write it;")
    assert (tmp_path / "o.txt").read_text() == "a.mp4,3\nb.mp4,4\n"
    assert command("fuse", *files, "output=o.txt", "overwrite=true").code == 0
    assert command("fuse", *files, "output=o.txt").code == 0


def test_evaluate(command: Run, tmp_path):
    rows = "".join(f"{name}.mp4,{i}\n" for i, name in enumerate("abcdefgh"))
    (tmp_path / "table.csv").write_text("video,score\n" + rows)
    (tmp_path / "mos.csv").write_text("video,mos\n" + rows)
    files = ("predictions=table.csv", "annotations=mos.csv", "resamples=0")
    one_line(
        command("evaluate", *files, "output=."), "output: table.csv is read by this command (predictions=table"
    )
    (tmp_path / "e").mkdir()
    for name in ("figures.csv", "table.md"):
        (tmp_path / "e" / name).write_text("mine")
        one_line(
            command("evaluate", *files, "output=e"), f"output: e holds {name}, which this command did not write"
        )
        assert (tmp_path / "e" / name).read_text() == "mine"
        (tmp_path / "e" / name).unlink()
    for _ in range(2):
        outcome = command("evaluate", *files, "output=e")
        assert outcome.code == 0, outcome.err


def test_evaluate_leaves_a_table_of_its_scores_name(command: Run, best, two):
    (two / "e" / "run").mkdir(parents=True)
    (two / "e" / "run" / "folder.csv").write_text(MOS)
    data = ("data=folder", "data.root=.", "data.annotations=mos.csv")
    outcome = command("evaluate", best, *data, "output=e", "workers=0")
    assert outcome.code == 2
    assert "folder.csv is there, and this command did not write it; give another output" in outcome.err
    assert (two / "e" / "run" / "folder.csv").read_text() == MOS


def test_check_data(command: Run, two):
    data = ("data=folder", "data.root=.", "data.annotations=mos.csv", "output=c", "workers=1", "decode=false")
    (two / "c" / "folder").mkdir(parents=True)
    for name in ("files.csv", "findings.json"):
        (two / "c" / "folder" / name).write_text("mine")
        one_line(
            command("check_data", *data), f"holds {name}, which this command did not write; give another output"
        )
        assert (two / "c" / "folder" / name).read_text() == "mine"
        (two / "c" / "folder" / name).unlink()


def test_train_leaves_folders_of_somebody_else(command: Run, labelled, tmp_path):
    for name in ("config.yaml", "figures.json", "metrics.csv"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("mine: 1\n")
        for more in ((), ("overwrite=true",)):
            outcome = command("train", *SMALL, *on(labelled), f"output={folder}", *more)
            one_line(
                outcome, f"output: {folder} holds {name}, which this command did not write; give another output"
            )
        assert (folder / name).read_text() == "mine: 1\n"
    (tmp_path / "mine" / "checkpoints").mkdir(parents=True)
    (tmp_path / "mine" / "checkpoints" / "a.pt").touch()
    outcome = command("train", *SMALL, *on(labelled), "output=mine", "overwrite=true")
    one_line(outcome, "output: mine holds checkpoints, which this command did not write")
    (tmp_path / "p" / "split_00").mkdir(parents=True)
    outcome = command("train", *SMALL, *on(labelled), "protocol=kfold", "output=p", "overwrite=true")
    one_line(outcome, "output: p holds split_00 of no protocol; give another output")


def test_train_does_not_replace_the_run_that_it_starts_from(command: Run, labelled, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    arguments = [a for a in SMALL if not a.startswith("weights")]
    start = "weights=run/checkpoints/best.ckpt"
    outcome = command("train", *arguments, *on(labelled), start, "output=run", "overwrite=true")
    one_line(outcome, "output: run is the run that weights.source=run/checkpoints/best.ckpt is from; give another")
    assert torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    assert json.loads((tmp_path / "run" / "versions.json").read_text())["zoomvqa"]


def test_make_ladder(command: Run, make_video, tmp_path):
    (tmp_path / "src").mkdir()
    shutil.copy(make_video("cli_good.mp4"), tmp_path / "src" / "a.mp4")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "labels.csv").write_text(MOS)
    one_line(command("make_ladder", "sources=src", "output=out"), "labels.csv is there, and this command did not")
    assert (tmp_path / "out" / "labels.csv").read_text() == MOS
    (tmp_path / "src").rename(tmp_path / "videos")
    one_line(
        command("make_ladder", "sources=videos", "output=."), "output: clips are written to videos, where the"
    )
    outcome = command("train", *SMALL[1:], "data=demo", "data.root=out", "output=run")
    one_line(outcome, "labels.csv is there, and this command did not write it; give another folder")
