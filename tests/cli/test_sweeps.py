"""Sweeps: jobs in a row and their table, Optuna's search, jobs side by side, jobs on a cluster's stand-in."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cli.conftest import SMALL, Run, on
from cli.test_mistakes import one_line
from cli.test_train_vqa import TINY, read

SCRIPT = Path(__file__).parents[2] / "train.py"
ONE = (*TINY, "trainer.max_epochs=1")
SPACE = ("branch.optimiser.lr=tag(log,interval(1e-5,1e-2))", "branch.loss.name=l1,plcc", "seed=range(1,9,2)")


@pytest.mark.slow
def test_a_search_goes_on_and_ends_with_its_best(labelled, command: Run, tmp_path):
    search = (*ONE, *on(labelled), *SPACE, "hparams_search=optuna", "hydra.sweep.dir=search")
    assert command("train", *search, "hydra.sweeper.trials=2").code == 0
    first = {r["overrides"] for r in read(tmp_path / "search" / "sweep.csv")}
    outcome = command("train", *search, "hydra.sweeper.trials=3", "hydra.sweeper.jobs=2")
    assert outcome.code == 0, outcome.err
    rows = read(tmp_path / "search" / "sweep.csv")
    assert len(rows) == len({r["overrides"] for r in rows}) == 3
    assert first <= {r["overrides"] for r in rows}
    for row in rows:
        told = dict(o.split("=", 1) for o in row["overrides"].split(" ") if "=" in o)
        assert 1e-5 <= float(told["branch.optimiser.lr"]) <= 1e-2
        assert told["branch.loss.name"] in {"l1", "plcc"}
        assert int(told["seed"]) in {1, 3, 5, 7}
    best = json.loads((tmp_path / "search" / "best.json").read_text())
    assert best["value"] == pytest.approx(float(rows[0]["selection"]), abs=1e-9)
    assert f"Best of 3 finished trials, job {best['job']}" in " ".join(outcome.err.split())


def test_mistakes(labelled, command: Run):
    outcome = command("train", *ONE, *on(labelled), "hparams_search=optuna")
    one_line(outcome, "hparams_search: nothing to search; give a space")
    outcome = command("train", "-m", *ONE, *on(labelled), "seed=interval(1,4)")
    one_line(outcome, "seed: got interval(1,4), which only hparams_search=optuna goes through")
    outcome = command("train", *ONE, *on(labelled), "hparams_search=optuna", "branch.optimiser.lr=interval(-1,1)")
    one_line(outcome, "branch.optimiser.lr: got -1.0, expected greater than 0")
    outcome = command("train", *ONE, *on(labelled), "hparams_search=optima")
    one_line(outcome, "hparams_search: got 'optima', expected one of optuna (did you mean 'optuna'?)")


def test_a_sweep_has_one_folder(labelled, command: Run):
    sweep = ("-m", *ONE, *on(labelled), "seed=1,2")
    outcome = command("train", *sweep, "output=a", "hydra.sweep.dir=b")
    one_line(outcome, "output: got a beside hydra.sweep.dir=b, expected one of them: both name the sweep's folder")
    one_line(command("train", *sweep, "output=a,b"), "output: got a,b, expected one folder: each job of a sweep")


def test_without_optuna(labelled, command: Run, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    outcome = command("train", *ONE, *on(labelled), *SPACE[:1], "hparams_search=optuna", "hydra.sweep.dir=s")
    one_line(outcome, "hparams_search=optuna: Optuna is not installed; pip install 'zoomvqa[sweep]'")


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_launchers(labelled, tmp_path, launcher):
    """One job trains; the other fails, in a process of its own, and shows in the table and in the exit code."""
    # The second job fails: swin_nano has no ImageNet weights.
    jobs = ["weights.source=none,imagenet", f"hydra/launcher={launcher}", "threads=1", "hydra.sweep.dir=jobs"]
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "-m", *ONE, *on(labelled), *jobs],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr[-3000:]
    with (tmp_path / "jobs" / "sweep.csv").open(newline="") as handle:
        good, failed = csv.DictReader(handle)
    assert "weights.source=none" in good["overrides"]
    assert float(good["selection"]) <= 1
    assert ("weights.source=imagenet" in failed["overrides"], failed["selection"]) == (True, "")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_sweep(labelled, command: Run, tmp_path):
    outcome = command("train", "-m", *SMALL, *on(labelled), "trainer.max_epochs=1", "seed=4,5")
    assert outcome.code == 0, outcome.err
    assert len(list((tmp_path / "runs" / "sweep").glob("*/*/checkpoints/best.ckpt"))) == 2
    (table,) = (tmp_path / "runs" / "sweep").glob("*/sweep.csv")
    with table.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [float(r["selection"]) for r in rows] == sorted((float(r["selection"]) for r in rows), reverse=True)
    for row in rows:
        assert "seed=4" in row["overrides"] or "seed=5" in row["overrides"]
        told = json.loads((Path(row["folder"]) / "figures.json").read_text())
        assert (told["rmse"], told["videos"]) == (pytest.approx(float(row["rmse"])), 4)


@pytest.mark.slow
def test_a_sweep_writes_to_its_output_and_averages_over_seeds(labelled, command: Run, tmp_path):
    asked = ("trainer.max_epochs=1", "seed=4,5", "branch.network.hidden=8,16", "logger=none", "output=swept")
    outcome = command("train", "-m", *SMALL, *on(labelled), *asked)
    assert outcome.code == 0, outcome.err
    jobs = read(tmp_path / "swept" / "sweep.csv")
    assert {Path(row["folder"]).parent.name for row in jobs} == {"swept"}
    averaged = read(tmp_path / "swept" / "sweep_seeds.csv")
    assert [(row["jobs"], row["with figures"]) for row in averaged] == [("2", "2")] * 2
    for row in averaged:
        own = [
            float(j["rmse"]) for j in jobs if set(row["overrides"].split(" ")) <= set(j["overrides"].split(" "))
        ]
        assert "seed=" not in row["overrides"]
        assert float(row["rmse_mean"]) == pytest.approx(np.mean(own))
        assert float(row["rmse_std"]) == pytest.approx(np.std(own, ddof=1))
    assert "mean ± standard deviation over seeds" in outcome.err


@pytest.mark.slow
def test_a_job_that_fails_stands_in_the_table(labelled, command: Run, tmp_path):
    few = ("trainer.max_epochs=1", "branch.network.backbone=test_efficientnet,resnet5o")
    outcome = command("train", "-m", *(a for a in SMALL if "backbone" not in a), *on(labelled), *few)
    assert outcome.code == 2
    (table,) = (tmp_path / "runs" / "sweep").glob("*/sweep.csv")
    with table.open(newline="") as handle:
        good, failed = csv.DictReader(handle)
    assert float(good["selection"]) <= 1
    assert (failed["selection"], failed["srcc"]) == ("", "")
    assert "resnet5o" in failed["overrides"]


@pytest.mark.slow
def test_wandb_in_a_sweep_is_a_run_a_job(labelled, command: Run, tmp_path):
    extra = ("trainer.max_epochs=1", "logger=[wandb]", "logger.wandb.offline=true", "seed=4,5")
    outcome = command("train", "-m", *SMALL, *on(labelled), *extra)
    assert outcome.code == 0, outcome.err
    assert len(list((tmp_path / "runs" / "sweep").glob("*/*/wandb/offline-run-*"))) == 2


@pytest.mark.slow
def test_sweep_of_many_processes_is_refused(labelled, command: Run):
    outcome = command("train", "-m", *SMALL, *on(labelled), "trainer.devices=2", "seed=1,2")
    assert outcome.code == 2
    assert "trainer.devices: got 2 in a sweep (-m), expected 1" in outcome.err
