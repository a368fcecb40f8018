"""`train.py protocol=…`: several splits, each trained, chosen on validation and tested."""

import json
from statistics import mean, median, stdev

import pytest

from cli.conftest import SMALL, Run, on
from cli.test_mistakes import one_line
from cli.test_train_vqa import TINY, read
from zoomvqa.errors import TrainingError
from zoomvqa.evaluation import protocol_run as protocols

pytestmark = pytest.mark.slow
ONCE = (*SMALL, "trainer.max_epochs=1")


def test_repeats_and_going_on(labelled, command: Run, tmp_path, monkeypatch):
    asked = (*ONCE, *on(labelled), "protocol=repeats", "protocol.splits=2", "protocol.seeds=[0,1]", "output=p")
    real, seen = protocols.train, []

    def stopped(settings, labelled, resume_from):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(settings.output)
        return real(settings, labelled, resume_from)

    monkeypatch.setattr(protocols, "train", stopped)
    assert command("train", *asked).code == 130
    assert len(seen) == 2
    assert {row["table"] for row in read(tmp_path / "p" / "protocol.csv")} == {"partial: 2 of 4 runs"}
    one_line(command("train", *asked), "output: p already holds a protocol; give another output=, resume=auto or")
    one_line(
        command("train", *asked, "resume=auto", "branch.network.hidden=8"),
        "branch.network.hidden: got 8, but the protocol in p that resume=auto goes on with has 16",
    )
    monkeypatch.setattr(protocols, "train", lambda *a: seen.append(a[0].output) or real(*a))
    outcome = command("train", *asked, "resume=auto")
    assert outcome.code == 0, outcome.err
    assert seen == [f"p/split_{split:02d}_seed_{seed}" for split in (0, 1) for seed in (0, 1)]
    rows = read(tmp_path / "p" / "protocol.csv")
    assert [(row["split"], row["seed"]) for row in rows] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    told = json.loads((tmp_path / "p" / "protocol.json").read_text())
    assert (told["runs"], told["planned"]) == (4, 4)
    values = [float(row["rmse"]) for row in rows]
    assert told["figures"]["rmse"]["median"] == pytest.approx(median(values), abs=1e-5)
    assert told["figures"]["rmse"]["mean"] == pytest.approx(mean(values), abs=1e-5)
    assert told["figures"]["rmse"]["std"] == pytest.approx(stdev(values), abs=1e-5)
    assert "4 of 4 runs" in outcome.err
    check_run(tmp_path / "p", "split_01_seed_1")
    # Nothing is left to do: the table is written again, nothing is trained.
    seen.clear()
    assert command("train", *asked, "resume=auto").code == 0
    assert not seen


def test_a_run_that_fails_costs_itself_only(labelled, command: Run, tmp_path, monkeypatch):
    asked = (*ONCE, *on(labelled), "protocol=repeats", "protocol.splits=3", "output=p")
    real, seen = protocols.train, []

    def one_fails(settings, labelled, resume_from):
        seen.append(settings.output)
        if settings.output.endswith("split_01_seed_0"):
            raise TrainingError("all predictions are 0.0000")
        return real(settings, labelled, resume_from)

    monkeypatch.setattr(protocols, "train", one_fails)
    outcome = command("train", *asked)
    assert outcome.code == 1
    told = " ".join(outcome.err.split())
    assert "protocol: 1 of 3 runs failed and are in no figure; delete their folders to try them again" in told
    assert "p/split_01_seed_0: all predictions are 0.0000" in told
    rows = read(tmp_path / "p" / "protocol.csv")
    assert [row["error"] for row in rows] == ["", "all predictions are 0.0000", ""]
    assert {row["table"] for row in rows} == {"complete, 1 failed"}
    told = json.loads((tmp_path / "p" / "protocol.json").read_text())
    assert (told["failed_runs"], told["figures"]["rmse"]["runs"]) == (1, 2)
    seen.clear()
    assert command("train", *asked, "resume=auto").code == 1
    assert not seen
    for split in (0, 2):
        run = tmp_path / "p" / f"split_{split:02d}_seed_0"
        (run / "test.json").rename(run / "kept.json")
        (run / "failed.json").write_text('{"error": "no numbers"}')
    assert command("train", *asked, "resume=auto").code == 2


def check_run(folder, name):
    """A run is tested on its own test videos, which neither trained it nor chose its epoch."""
    split = {row["video"]: row for row in read(folder / f"{name[:8]}.csv")}
    tested = {row["video"] for row in read(folder / name / "test_predictions.csv")}
    chosen_by = {row["video"] for row in read(folder / name / "val_predictions.csv")}
    assert tested == {video for video, row in split.items() if row["split"] == "test"}
    assert chosen_by == {video for video, row in split.items() if row["split"] == "val"}
    contents = {side: {r["content"] for r in split.values() if r["split"] == side} for side in ("train", "test")}
    assert not contents["train"] & contents["test"]


def test_the_fusion_takes_each_runs_own_branches(labelled, command: Run, tmp_path, monkeypatch):
    shared = (*on(labelled), "protocol=kfold", "protocol.splits=3", "protocol.only=[2]")
    assert command("train", *ONCE, *shared, "output=i").code == 0
    last = "protocol.checkpoint=last"
    assert command("train", *TINY, *shared, last, "trainer.max_epochs=1", "output=v").code == 0
    given = []

    def seen(settings, labelled, resume_from):
        given.append((settings.iqa, settings.vqa))
        raise KeyboardInterrupt

    monkeypatch.setattr(protocols, "train", seen)
    fused = ("branch=fusion", "data=folder", "trainer=cpu", *on(labelled), "iqa=i", "vqa=v")
    assert command("train", *fused, *shared[-3:], "output=f").code == 130
    run = "split_02_seed_0/checkpoints"
    assert given == [(f"i/{run}/best.ckpt", f"v/{run}/last.ckpt")]
    one_line(
        command("train", *fused, *shared[-3:], "protocol.split_seed=5", "output=g"),
        "iqa: split 2 of i is not that of this protocol",
    )
    one_line(
        command("train", *fused, *shared[-3:-1], "output=h"), "iqa and vqa: i has no split_00_seed_0; its protocol"
    )


def test_refusals(labelled, command: Run):
    asked = (*ONCE, *on(labelled), "protocol=kfold", "output=r")
    one_line(
        command("train", *asked, "trainer.devices=2"),
        "trainer.devices: got 2 with protocol=kfold, expected 1: share the splits out instead",
    )
    one_line(command("train", *asked, "resume=elsewhere"), "resume: got 'elsewhere', expected auto")
    one_line(command("train", *asked, "protocol.splits=30"), "protocol.splits: got 30, expected at most 6")
    one_line(
        command("train", *asked[:-2], "protocol=kfolds", "output=r"), "protocol: got 'kfolds', expected one of"
    )
