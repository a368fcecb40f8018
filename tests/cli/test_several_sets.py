"""`data=[a,b]` on a command line."""

import csv
from pathlib import Path

import pytest

from cli.conftest import SMALL, Run
from cli.test_mistakes import one_line
from cli.test_train_vqa import read
from zoomvqa.cli.several_sets import expand_sets, set_folder


@pytest.mark.parametrize(
    ("name", "folder"),
    [("konvid1k", "KoNViD-1k"), ("live_vqc", "LIVE_VQC"), ("lsvq_1080p", "LSVQ"), ("lsvq_test", "LSVQ"),
     ("vdpve", "vdpve"), ("maxwell", "maxwell")],
)  # fmt: skip
def test_folders(tmp_path, name, folder):
    for made in ("KoNViD-1k", "LIVE_VQC", "LSVQ", "vdpve"):
        (tmp_path / made).mkdir()
    assert set_folder(tmp_path, name) == tmp_path / folder
    assert set_folder(tmp_path / "none", name) == tmp_path / "none" / name


def test_a_list_is_spelled_out():
    assert expand_sets(["ckpt=a", "data=[x, y]", "data.root=/d", "data.sets.y.root=/e"]) == [
        *("data=mixed", "+data@data.sets.x=x", "+data.weights.x=1.0", "data.sets.x.root=/d/x"),
        *("+data@data.sets.y=y", "+data.weights.y=1.0", "ckpt=a", "data.sets.y.root=/e"),
    ]
    assert expand_sets(["data=x", "data.root=/d"]) == ["data=x", "data.root=/d"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data=[konvid1k,live_vcq]", "data.root=."], "data: got 'live_vcq', expected one of cvd2014"),
        (["data=[konvid1k,live_vcq]", "data.root=."], "(did you mean 'live_vqc'?)"),
        (["data=[konvid1k]", "data.sets.konvid1k.rot=3"], "data.sets.konvid1k.rot: unknown key (did you mean"),
        (["data=[konvid1k]"], "data.sets.konvid1k.root: a value is missing"),
        (["data=[konvid1k]", "data.root=.", "data.sets.konvid1k.val_share=3"],
         "data.sets.konvid1k.val_share: got 3, expected less than 1"),
        (["data=[konvid1k]", "data.root=.", "data.weights.konvid1k=0"], "data.weights.konvid1k: got 0"),
        (["data=[konvid1k]", "data.root=.", "+data.weights.other=2"], "data.weights: got"),
        (["data=[]"], "data.sets: got {}, expected names of sets"),
        (["data=[konvid1k,live_vqc]", "data.root=.", "data.sets.konvid1k.layout=frames"], "data.sets: got"),
        (["data=[konvid1k]", "data.root=no where"], "under no where/konvid1k"),
    ],
)  # fmt: skip
def test_mistakes(command: Run, arguments, message):
    one_line(command("train", *arguments), message)


def halves(labelled: Path, folder: Path) -> None:
    """The labelled videos as two sets: the second with scores ten times as high and all videos of three scenes."""
    rows = list(csv.reader((labelled / "scores.csv").open()))
    for name, factor, chosen in (("folder", 1.0, rows[1:7]), ("youtube_ugc", 10.0, rows[7:])):
        (folder / name).mkdir(parents=True)
        for row in chosen:
            (folder / name / row[0]).symlink_to(labelled / row[0])
        with (folder / name / "scores.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows([rows[0], *([n, factor * float(m), c] for n, m, c in chosen)])


@pytest.mark.slow
def test_two_sets_are_trained_together(command: Run, labelled, tmp_path):
    halves(labelled, tmp_path / "sets")
    own = [f"data.sets.{n}.{key}" for n, top in (("folder", 6), ("youtube_ugc", 60))
           for key in (f"annotations=sets/{n}/scores.csv", "val_share=0.4", f"mos_range=[0,{top}]")]  # fmt: skip
    arguments = ["data=[folder,youtube_ugc]", "data.root=sets", "data.weights.youtube_ugc=2", *own]
    small = [a for a in SMALL if a != "data=folder"]
    outcome = command("train", *small, *arguments, "branch.loss.name=plcc_rank", "output=run")
    assert outcome.code == 0, outcome.err
    assert "videos of 'folder+youtube_ugc'" in outcome.err
    rows = read(tmp_path / "run" / "val_predictions.csv")
    assert {row["video"].split("/")[0] for row in rows} == {"folder", "youtube_ugc"}
    assert all(10 < float(row["mos"]) < 90 for row in rows)
    logged = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0]
    assert "val_folder/srcc" in logged
    assert "val_youtube_ugc/plcc" in logged
    scored = command("evaluate", "ckpt=run/checkpoints/best.ckpt", *arguments, "split=val", "output=out")
    assert scored.code == 0, scored.err
    assert "of these videos chose its epoch" in (tmp_path / "out" / "figures.csv").read_text()
    one_line(
        command("predict", "ckpt=run/checkpoints/best.ckpt", *arguments), "data: got several sets, expected one"
    )
    one_line(command("train", *small, *arguments, "protocol=kfold", "output=p"), "protocol: got several sets")
