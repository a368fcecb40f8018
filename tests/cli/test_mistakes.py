"""Mistakes: exit code 2, one line, the key, what came, what was expected, the nearest choice; no traceback."""

import pytest
from conftest import Make, ffmpeg

from cli.conftest import SMALL, Run, on


def one_line(outcome, message: str) -> None:
    assert outcome.code == 2, outcome.err
    lines = [line for line in outcome.err.splitlines() if line.strip()]
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["branch=iqx"], "branch: got 'iqx', expected one of fusion, iqa, vqa"),
        (["data=demos"], "data: got 'demos', expected one of cvd2014, demo, folder, frames, konvid150k"),
        (["data=demos"], "(did you mean 'demo'?)"),
        (["trainer=gpuu"], "(did you mean 'gpu'?)"),
        (["logger=[csv,wandbb]"], "logger: got 'wandbb', expected one of csv, mlflow, none, tensorboard, wandb"),
        (["branch.view.crp=3"], "branch.view.crp: unknown key (did you mean 'branch.view.crop'?)"),
        (["+branch.view.crp=3"], "branch.view.crp: unknown key (did you mean 'crop'?)"),
        (["sed=1"], "sed: unknown key (did you mean 'seed'?)"),
        (["seed=abc"], "seed: got 'abc', expected a valid integer"),
        (["trainer.devices=0"], "trainer.devices: got 0, expected greater than 0"),
        (["trainer.precision=bf17"], "trainer.precision: got 'bf17'"),
        (
            ["branch.network=foo"],
            "branch.network: got 'foo', expected settings of its own, such as branch.network.kin",
        ),
        (["branch.loss=l1"], "branch.loss: got 'l1', expected settings of its own, such as branch.loss.name=…"),
        (
            ["data.columns=mos"],
            "data.columns: got 'mos', expected settings of its own, such as data.columns.video=…",
        ),
        (["keep=3"], "keep: got 3, expected settings of its own, such as keep.top_k=…"),
        (["logger.csv=3"], "logger.csv: got 3, expected {key: value}"),
        (["data.mos_range=3"], "data.mos_range: got 3, expected a list such as [a,b]"),
        (["branch.loss.name=smoth"], "branch.loss.name: got 'smoth'"),
        (["branch"], "branch: expected key=value"),
        (["data=folder"], "data.root: a value is missing; give data.root="),
        (["data=folder", "data.root=."], "data.annotations: a value is missing"),
        (["-m", "branch.loss.name=l1,l3"], "branch.loss.name: got 'l3'"),
    ],
)
def test_train_settings(command: Run, arguments, message):
    one_line(command("train", *arguments), message)


def test_unknown_backbone(command: Run, labelled):
    arguments = [a for a in SMALL if "backbone" not in a]
    outcome = command("train", *arguments, *on(labelled), "branch.network.backbone=resnet5o")
    one_line(outcome, "branch.network.backbone: got 'resnet5o', expected a timm model name")


def test_empty_annotation(command: Run, tmp_path):
    (tmp_path / "a.csv").touch()
    one_line(command("train", *SMALL, "data.root=.", "data.annotations=a.csv"), "the file is empty")


def test_mos_that_is_no_number(command: Run, tmp_path):
    (tmp_path / "a.csv").write_text("video,mos\na.mp4,good\n")
    outcome = command("train", *SMALL, "data.root=.", "data.annotations=a.csv")
    one_line(outcome, "row 2: the MOS 'good' is not a finite number")


def test_missing_videos_are_listed_before_training(command: Run, tmp_path):
    (tmp_path / "a.csv").write_text("video,mos\na.mp4,1\nb.mp4,2\n")
    outcome = command("train", *SMALL, "data.root=.", "data.annotations=a.csv")
    assert outcome.code == 2
    assert "2 of 2 videos are not under ." in outcome.err
    assert "a.mp4" in outcome.err
    assert "b.mp4" in outcome.err


def test_unreadable_training_videos_are_listed(command: Run, labelled, tmp_path):
    rows = (labelled / "scores.csv").read_text().splitlines()
    for row in rows[1:]:
        name = row.split(",")[0]
        (tmp_path / name).write_bytes((labelled / name).read_bytes() if "mandel" not in name else b"broken" * 99)
    (tmp_path / "scores.csv").write_text("\n".join(rows))
    outcome = command("train", *SMALL, *on(tmp_path), "output=run")
    assert outcome.code == 2
    assert "videos cannot be read" in outcome.err
    assert "mandelbrot" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "ckpt: a value is missing; give ckpt="),
        (["ckpt=a.ckpt"], "input: give either input="),
        (["ckpt=no.ckpt", "input=."], "ckpt: no such file: no.ckpt"),
        (
            ["ckpt=a.ckpt", "input=.", "data=folder", "data.root=.", "data.annotations=x"],
            "input: give either input=",
        ),
        (["ckpt=a.ckpt", "input=.", "split=dev"], "split: got 'dev', expected 'train', 'val' or 'test'"),
        (["ckpt=a.ckpt", "input=.", "device=gpu"], "device: got 'gpu'"),
        (["ckpt=a.ckpt", "inptu=."], "inptu: unknown key (did you mean 'input'?)"),
    ],
)
def test_predict_settings(command: Run, arguments, message):
    one_line(command("predict", *arguments), message)


def test_predict_with_another_kind_of_file(command: Run, tmp_path):
    (tmp_path / "a.ckpt").write_text("no checkpoint")
    one_line(command("predict", "ckpt=a.ckpt", "input=."), "a.ckpt: ")


def test_predict_an_empty_folder(command: Run, trained, tmp_path):
    (tmp_path / "empty").mkdir()
    outcome = command("predict", f"ckpt={trained}/checkpoints/best.ckpt", "input=empty")
    one_line(outcome, "input: there is no video below empty")


@pytest.mark.parametrize("name", ["a (1).mp4", "a,b.mp4", "a=b.mp4", "it's.mp4", "a [1].mp4", "2023", "ü {x}.mp4"])
def test_any_file_name(command: Run, trained, make_video: Make, tmp_path, name):
    (tmp_path / name).write_bytes(make_video("cli_good.mp4").read_bytes())
    outcome = command("predict", f"ckpt={trained}/checkpoints/best.ckpt", f"input={name}", "output=s.csv")
    assert outcome.code == 0, outcome.err


def test_a_list_with_impossible_names(command: Run, trained, make_video: Make, tmp_path):
    (tmp_path / "good.mp4").write_bytes(make_video("cli_good.mp4").read_bytes())
    (tmp_path / "list.txt").write_text(
        "x" * 10_000 + "\ngood.mp4\n../../etc/passwd\nhttp://127.0.0.1:9/a.mp4\n$(id).mp4\n"
    )
    outcome = command("predict", f"ckpt={trained}/checkpoints/best.ckpt", "input=list.txt", "output=s.csv")
    assert outcome.code == 1, outcome.err
    rows = (tmp_path / "s.csv").read_text().splitlines()
    assert [row.split(",")[2] for row in rows[1:]] == ["error", "ok", "error", "error", "error"]


def test_outputs_that_cannot_be_written(command: Run, trained, labelled, tmp_path):
    (tmp_path / "file").touch()
    ckpt = f"ckpt={trained}/checkpoints/best.ckpt"
    one_line(command("predict", ckpt, f"input={labelled}", f"output={tmp_path}"), "output: ")
    one_line(command("predict", ckpt, f"input={labelled}", "output=file/s.csv"), "output: file cannot be made")
    one_line(command("train", *SMALL, *on(labelled), "output=file/run"), "file/run")
    one_line(command("extract_frames", f"input={labelled}", "output=file/x"), "file")


def test_odd_command_lines(command: Run):
    assert command("train", "-m", "seed=1,,2[").code == 2
    assert command("train", "logger=null", "data=folder").code == 2


def test_extract_and_ladder(command: Run, tmp_path):
    one_line(command("extract_frames", "input=no", "output=x"), "input: no such file or folder: no")
    one_line(command("extract_frames", "input=.", "output=x", "fps=0"), "fps: got 0, expected greater than 0")
    one_line(command("make_ladder", "sources=no", "output=x"), "sources: no such folder: no")
    one_line(command("make_ladder", "sources=.", "output=x", "height=97"), "height: got 97")


def test_predict_good_and_bad_files(command: Run, trained, make_video: Make, tmp_path):
    """The codes and rows of a run with some failures; every kind of bad file is in test_scorer.py."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.mp4").write_bytes(make_video("cli_good.mp4").read_bytes())
    (folder / "text.mp4").write_text("renamed")
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", "1", "-c:a", "aac", folder / "sound.mp4")
    ckpt = f"ckpt={trained}/checkpoints/best.ckpt"
    outcome = command("predict", ckpt, "input=in", "output=out/s.csv", "details=true")
    assert outcome.code == 1
    assert "1 of 3 videos scored" in outcome.err
    rows = (tmp_path / "out" / "s.csv").read_text().splitlines()
    assert rows[0] == "video,score,status,error,iqa,vqa,frames,clips,seconds,reader,note"
    assert [row.split(",")[2] for row in rows[1:]] == ["ok", "error", "error"]
    assert len((tmp_path / "out" / "s.details.csv").read_text().splitlines()) == 1 + 4
    assert command("predict", ckpt, "input=in/good.mp4", "output=one.csv").code == 0
    alone = (tmp_path / "one.csv").read_text().splitlines()[1].split(",")[1]
    assert alone == rows[1].split(",")[1]


def test_ladder_to_training(command: Run, make_video: Make, tmp_path):
    (tmp_path / "src").mkdir()
    for picture in ("testsrc2", "mandelbrot", "testsrc"):
        video = make_video(f"cli_{picture}.mp4", size="192x144", frames=30, picture=picture)
        (tmp_path / "src" / f"{picture}.mp4").write_bytes(video.read_bytes())
    options = ("height=96", "seconds=0.6", "segments=1", "rungs=3", "val_share=0.3", "test_share=0.3")
    outcome = command("make_ladder", "sources=src", "output=ladder", *options)
    assert outcome.code == 0, outcome.err
    where = ("data.root=ladder", "data.annotations=ladder/labels.csv")
    outcome = command("train", *SMALL, *where, "output=run", "trainer.max_epochs=1")
    assert outcome.code == 0, outcome.err


def test_names_do_nothing_to_the_terminal(command: Run):
    outcome = command("predict", "ckpt=x", "input=\x1b]0;pwned\x07\x1b[2J\udce9.mp4")
    assert outcome.code == 2
    assert "\x1b" not in outcome.err
    assert "\x07" not in outcome.err
