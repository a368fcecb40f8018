"""`scripts/evaluate.py`: checkpoints and predictions against opinions."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from cli.conftest import SMALL, Run, on, stop_after
from cli.test_mistakes import one_line
from zoomvqa.evaluation import methods, probe
from zoomvqa.models.backbones import create_backbone
from zoomvqa.models.statistics import MapStatistics


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture
def tables(tmp_path) -> Path:
    """Opinions on 60 videos of twelve scenes, a close method's scores (`near`) and a far one's (`far`)."""
    draw = random.Random(0)
    mos = {f"v{i:02d}.mp4": draw.uniform(1, 5) for i in range(60)}
    scenes = {name: f"scene{i % 12}" for i, name in enumerate(mos)}
    rows = [["video", "mos", "std", "content", "codec"]]
    rows += [[n, m, 0.4, scenes[n], "ab"[i % 2]] for i, (n, m) in enumerate(mos.items())]
    with (tmp_path / "mos.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    for name, noise in (("near", 0.1), ("far", 2.0)):
        scored = [(f"d/{n}", m + draw.gauss(0, noise)) for n, m in mos.items()]
        draw.shuffle(scored)
        with (tmp_path / f"{name}.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows(scored)
    return tmp_path


def test_predictions_of_anyone(command: Run, tables):
    outcome = command("evaluate", "predictions=near.csv", "annotations=mos.csv", "output=out", "resamples=200")
    assert outcome.code == 0, outcome.err
    scores = {Path(n).name: float(s) for n, s in csv.reader((tables / "near.csv").open())}
    labels = read(tables / "mos.csv")
    x, y = np.array([scores[r["video"]] for r in labels]), np.array([float(r["mos"]) for r in labels])
    whole, *groups = read(tables / "out" / "figures.csv")
    ours = [float(whole[name]) for name in ("srcc", "plcc", "krcc", "rmse")]
    theirs = [spearmanr(x, y)[0], pearsonr(x, y)[0], kendalltau(x, y)[0], np.sqrt(np.mean((x - y) ** 2))]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert (whole["group"], whole["videos"], whole["missing"]) == ("(all)", "60", "0")
    assert float(whole["srcc_low"]) < float(whole["srcc"]) < float(whole["srcc_high"])
    assert float(whole["outlier_ratio"]) == 0
    assert {(row["group"], row["videos"]) for row in groups} == {("content", "5")}
    assert "outlier_ratio" in outcome.err
    assert "mos by content" in outcome.err
    assert not (tables / "out" / "comparisons.csv").exists()
    assert "| **near** | 0.9" in (tables / "out" / "table.md").read_text()


def test_is_one_better_than_the_other(command: Run, tables):
    arguments = ("annotations=mos.csv", "names=[ours,theirs]", "output=out", "published=false")
    outcome = command("evaluate", "predictions=[near.csv,far.csv]", *arguments)
    assert outcome.code == 0, outcome.err
    row, plcc, rmse = read(tables / "out" / "comparisons.csv")
    assert [r["figure"] for r in (row, plcc, rmse)] == ["srcc", "plcc_fit", "rmse_fit"]
    assert float(plcc["low"]) > 0 > float(rmse["high"])
    assert (row["first"], row["second"], row["videos"]) == ("ours", "theirs", "60")
    assert 0 < float(row["low"]) < float(row["difference"]) < float(row["high"])
    assert float(row["p"]) < 0.01
    assert "the difference is significant" in outcome.err
    assert [r["method"] for r in read(tables / "out" / "table.csv")] == ["ours", "theirs"]


def test_what_has_no_partner_is_told(command: Run, tables):
    lines = (tables / "near.csv").read_text().splitlines()
    (tables / "some.csv").write_text("\n".join([*lines[:57], "other.mp4,3"]))
    outcome = command("evaluate", "predictions=some.csv", "annotations=mos.csv", "output=out")
    assert outcome.code == 1
    assert "some.csv: 3 videos of mos have no prediction: v" in outcome.err
    assert "some.csv: 1 predictions are of no video that is judged: other.mp4" in outcome.err
    assert read(tables / "out" / "figures.csv")[0]["missing"] == "3"
    assert "mos: 3 videos left out" in (tables / "out" / "table.md").read_text()


def test_groups_that_the_set_tells(command: Run, tables):
    data = ("data=folder", "data.annotations=mos.csv", "data.root=none", "data.groups=[codec]")
    outcome = command("evaluate", "predictions=near.csv", *data, "output=out", "resamples=0")
    assert outcome.code == 0, outcome.err
    rows = read(tables / "out" / "figures.csv")
    assert {(r["value"], r["videos"]) for r in rows if r["group"] == "codec"} == {("a", "30"), ("b", "30")}
    assert rows[0]["srcc_low"] == ""


def test_predictions_named_after_the_sets_files(command: Run, tmp_path):
    names = [f"Vlog_720P-{i:04x}" for i in range(12)]
    (tmp_path / "mos.csv").write_text(
        "vid,MOSFull\n" + "".join(f"{n},{1.5 + i / 5}\n" for i, n in enumerate(names))
    )
    (tmp_path / "s.csv").write_text("".join(f"{n}_crf_10_ss_00_t_20.0.mp4,{i}\n" for i, n in enumerate(names)))
    data = ("data=youtube_ugc", "data.root=none", "data.annotations=mos.csv", "resamples=0", "output=out")
    outcome = command("evaluate", "predictions=s.csv", *data)
    assert outcome.code == 0, outcome.err
    assert read(tmp_path / "out" / "figures.csv")[0]["videos"] == "12"


def test_the_number_of_votes_makes_the_outlier_ratio(command: Run, tables):
    rows = read(tables / "mos.csv")
    lines = [f"{r['video']},{r['mos']},0.4,{4 + i % 2}" for i, r in enumerate(rows)]
    (tables / "voted.csv").write_text("\n".join(["video,mos,std,x_Subjects", *lines]))
    found = {}
    for name in ("mos", "voted"):
        out = f"output={name}_out"
        assert command("evaluate", "predictions=far.csv", f"annotations={name}.csv", "resamples=0", out).code == 0
        found[name] = read(tables / f"{name}_out" / "figures.csv")[0]
    assert found["mos"]["outlier_bound"] == "2 standard deviations of the opinions"
    assert "the number of votes is not known" in found["mos"]["notes"]
    assert (found["voted"]["outlier_bound"], found["voted"]["notes"]) == ("2 standard errors of the MOS", "")
    assert float(found["voted"]["outlier_ratio"]) > float(found["mos"]["outlier_ratio"])
    # Into the folder of an evaluation again, also of an earlier version.
    before = tables / "mos_out" / "figures.csv"
    before.write_text(before.read_text().replace(",outlier_bound", "", 1))
    again = ("predictions=far.csv", "annotations=mos.csv", "resamples=0", "output=mos_out")
    assert [command("evaluate", *again).code for _ in range(2)] == [0, 0]


@pytest.mark.parametrize(("scores", "note"), [("3", "all predictions are equal"), (None, "one video has no")])
def test_figures_that_are_not_defined_are_said_to_be(command: Run, tables, scores, note):
    names = [row["video"] for row in read(tables / "mos.csv")]
    lines = [f"{n},{scores}" for n in names] if scores else [f"{names[0]},1"]
    (tables / "odd.csv").write_text("\n".join(lines))
    outcome = command("evaluate", "predictions=odd.csv", "annotations=mos.csv", "output=out")
    assert outcome.code == (0 if scores else 1)
    row = read(tables / "out" / "figures.csv")[0]
    assert row["srcc"] == row["plcc_fit"] == ""
    assert note in row["notes"]
    assert note in outcome.err
    assert "nan" not in (outcome.err + (tables / "out" / "table.md").read_text()).lower()


@pytest.mark.slow
def test_a_line_to_beat(command: Run, labelled, tmp_path, monkeypatch):
    """The probe has its column beside anyone's predictions, and a line beside a training's validation."""
    monkeypatch.setenv("ZOOMVQA_CACHE", str(tmp_path / "cache"))
    backbone = create_backbone("test_efficientnet")
    monkeypatch.setattr(probe, "probe_network", lambda: MapStatistics(backbone))
    rows = read(labelled / "scores.csv")
    with (tmp_path / "split.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["video", "mos", "content", "split"])
        writer.writerows([*r.values(), "test" if i >= 8 else "train"] for i, r in enumerate(rows))
    with (tmp_path / "scores.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([r["video"], i] for i, r in enumerate(rows))
    small = ("probe=ridge", "probe.resize=64", "probe.crop=64")
    given = ("data=folder", f"data.root={labelled}", "data.annotations=split.csv", "published=false")
    outcome = command("evaluate", "predictions=scores.csv", *given, *small, "resamples=0", "output=out")
    assert outcome.code == 0, outcome.err
    figures = {r["method"]: r for r in read(tmp_path / "out" / "figures.csv") if r["group"] == "(all)"}
    assert {name: row["videos"] for name, row in figures.items()} == {"scores": "4", "probe": "4"}
    assert "fitted on the 8 training videos" in figures["probe"]["notes"]
    one_line(
        command("evaluate", "predictions=scores.csv", *given, "probe=rigde"), "probe: got 'rigde', expected one of"
    )
    outcome = command("train", *SMALL, *on(labelled), *small, "trainer.max_epochs=1", "output=run")
    assert outcome.code == 0, outcome.err
    assert "The probe on the same videos, without training: " in " ".join(outcome.err.split())
    validated = {row["video"] for row in read(tmp_path / "run" / "val_predictions.csv")}
    assert {row["video"] for row in read(tmp_path / "run" / "probe_predictions.csv")} == validated


def test_a_checkpoint_on_two_sets_goes_on_where_it_was(command: Run, trained, labelled, tmp_path, monkeypatch):
    best = trained / "checkpoints" / "best.ckpt"
    folder = tmp_path / "sets" / "Folder"
    folder.parent.mkdir()
    folder.symlink_to(labelled)
    (tmp_path / "some.csv").write_text("\n".join((labelled / "scores.csv").read_text().splitlines()[:6]))
    arguments = (f"ckpt={best}", "data=[folder,youtube_ugc]", "data.root=sets", "resamples=0", "output=out",
                 "workers=0", f"data.sets.folder.annotations={labelled / 'scores.csv'}",
                 "data.sets.youtube_ugc.root=sets/Folder",
                 "data.sets.youtube_ugc.annotations=some.csv")  # fmt: skip
    first = stop_after(monkeypatch, 3)
    assert command("evaluate", *arguments).code == 130
    then = stop_after(monkeypatch, 99)
    outcome = command("evaluate", *arguments)
    assert outcome.code == 0, outcome.err
    assert (len(first), len(then)) == (3, 9 + 5)
    figures = [r for r in read(tmp_path / "out" / "figures.csv") if r["group"] == "(all)"]
    assert [(r["method"], r["set"], r["videos"]) for r in figures] == [
        ("run", "folder", "12"),
        ("run", "youtube_ugc", "5"),
    ]
    assert "8 of these videos were trained on; 4 of these videos chose its epoch" in figures[0]["notes"]
    assert "of these videos were trained on" in figures[1]["notes"]
    lines = read(tmp_path / "out" / "run" / "folder.csv")
    alone = command("predict", f"ckpt={best}", f"input={labelled}", "output=s.csv")
    assert alone.code == 0
    ours = {r["video"]: float(r["prediction"]) for r in lines}
    assert ours == pytest.approx(
        {Path(r["video"]).name: float(r["score"]) for r in read(tmp_path / "s.csv")}, abs=2e-6
    )
    # Once more: nothing is scored again, the file is read once, and the table is the same.
    read_files: list[Path] = []
    load = methods.load_checkpoint
    monkeypatch.setattr(methods, "load_checkpoint", lambda path: (read_files.append(path), load(path))[1])
    before, again = (tmp_path / "out" / "table.md").read_text(), stop_after(monkeypatch, 0)
    assert command("evaluate", *arguments).code == 0
    assert (again, (tmp_path / "out" / "table.md").read_text()) == ([], before)
    assert read_files == [best]


def test_the_validation_part_and_a_broken_video(command: Run, trained, labelled, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in labelled.iterdir():
        (copy / file.name).symlink_to(file)
    broken = read(trained / "val_predictions.csv")[0]["video"]
    (copy / broken).unlink()
    (copy / broken).write_bytes(b"nothing")
    best = f"ckpt={trained / 'checkpoints' / 'best.ckpt'}"
    outcome = command("evaluate", best, "data=folder", *on(copy), "split=val", "resamples=0", "output=out")
    assert outcome.code == 1
    assert f"not scored: {broken}" in outcome.err
    whole = read(tmp_path / "out" / "figures.csv")[0]
    assert (whole["videos"], whole["missing"]) == ("3", "1")
    assert "4 of these videos chose its epoch" in whole["notes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ckpt=a", "predictions=b"], "ckpt: give either ckpt=FILE or predictions=TABLE"),
        ([], "ckpt: give either"),
        (["ckpt=[]", "data=demo"], "ckpt: got an empty list"),
        (["predictions=[]", "data=demo"], "predictions: got an empty list"),
        (["ckpt=none.ckpt", "data=demo"], "ckpt: no such file: none.ckpt"),
        (
            ["predictions=near.csv", "annotations=mos.csv", "resamples=1"],
            "resamples: got 1, expected 0, or 100 at least",
        ),
        (
            ["predictions=~no.such.user/x", "annotations=mos.csv"],
            "a path begins with ~ and the name of nobody",
        ),
        (["-m", "predictions=near.csv", "annotations=mos.csv"], "-m: only train.py sweeps"),
        (["ckpt=a"], "data: a value is missing; give data=NAME"),
        (["ckpt=a", "annotations=b"], "annotations: the table for predictions=TABLE; for a checkpoint give data="),
        (["predictions=near.csv", "annotations=b.csv"], "no such annotation file: b.csv"),
        (["predictions=none.csv", "annotations=mos.csv"], "predictions: no such file of predictions: none.csv"),
        (["predictions=[near.csv,near.csv]", "annotations=mos.csv"], "names: two methods are called 'near'"),
        (["predictions=near.csv", "annotations=mos.csv", "names=[a,b]"], "names: got 2, expected 1"),
        (["predictions=near.csv", "annotations=mos.csv", "split=al"], "split: got 'al', expected 'auto', 'all'"),
        (["predictions=near.csv", "annotations=mos.csv", "split=val"], "the set mos has no val videos"),
        (["predictions=near.csv", "annotations=mos.csv", "parameters=3"], "parameters: got 3, expected 4 or 5"),
        (
            ["predictions=near.csv", "annotations=equal.csv"],
            "the labels of equal are placeholders, no opinions: all",
        ),
        (["predictions=other.csv", "annotations=mos.csv"], "predictions: none of the 1 names is among the 60"),
        (["ckpt=a", "data=konvid1k"], "data.root: a value is missing"),
    ],
)
def test_mistakes(command: Run, tables, arguments, message):
    (tables / "equal.csv").write_text("video,mos\n" + "".join(f"v{i:02d}.mp4,0\n" for i in range(9)))
    (tables / "other.csv").write_text("x,1\n")
    one_line(command("evaluate", *arguments), message)
