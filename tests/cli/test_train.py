"""`train.py` from end to end on small real videos."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from cli.conftest import SMALL, Run, on

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_what_a_run_leaves(trained, labelled):
    assert OmegaConf.load(trained / "config.yaml").branch.network.backbone == "test_efficientnet"
    for name in ("best", "last"):
        saved = torch.load(trained / "checkpoints" / f"{name}.ckpt", weights_only=True)
        entry = saved["zoomvqa"]
        assert (entry["branch"], entry["trained_on"], entry["format"]) == ("iqa", "folder", 3)
        assert entry["view"]["resize"] == 64
        assert entry["config"]["data"]["root"] == str(labelled)
        assert ("optimizer_states" in saved) == (name == "last")
    predictions = read(trained / "val_predictions.csv")
    assert len(predictions) == 4
    metrics = read(trained / "metrics.csv")
    assert any(row["val/srcc"] for row in metrics)
    assert any(row["train/loss"] for row in metrics)
    with Image.open(trained / "val_scatter.png") as picture:
        assert picture.width > 100
    assert list((trained / "tensorboard").glob("events.*"))


def test_scoring_the_validation_split_gives_the_run_s_own_predictions(trained, labelled, command: Run, tmp_path):
    ckpt = trained / "checkpoints" / "best.ckpt"
    outcome = command("predict", f"ckpt={ckpt}", "data=folder", *on(labelled), "split=val", "output=s.csv")
    assert outcome.code == 0, outcome.err
    ours = {row["video"]: float(row["prediction"]) for row in read(trained / "val_predictions.csv")}
    scored = {row["video"]: float(row["score"]) for row in read(tmp_path / "s.csv")}
    assert scored == pytest.approx(ours, rel=1e-5, abs=1e-5)  # networks that score have their sums reordered
    assert "SRCC" in outcome.out
    assert "(4 videos)" in outcome.out


def test_a_run_tells_what_it_starts_from_and_that_contents_are_not_known(labelled, command: Run, tmp_path):
    table = tmp_path / "bare.csv"
    rows = [line.rpartition(",")[0] for line in (labelled / "scores.csv").read_text().splitlines()]
    table.write_text("\n".join(rows))
    where = (f"data.root={labelled}", f"data.annotations={table}", "trainer.max_epochs=1", "logger=csv")
    outcome = command("train", *SMALL, *where, "output=bare", "weights.published=imagenet")
    assert outcome.code == 0, outcome.err
    told = " ".join(outcome.err.split())
    assert "Starting from random weights (weights=none)" in told
    assert "Warning: this recipe was published with weights=imagenet, and this run has weights=none" in told
    assert (
        "Warning: the split of folder is drawn at random, and no content is known of 12 of its 12 videos" in told
    )
    wanted = {"contents": "unknown", "split": "drawn"}
    assert json.loads((tmp_path / "bare" / "figures.json").read_text()).items() >= wanted.items()
    entry = torch.load(tmp_path / "bare" / "checkpoints" / "best.ckpt", weights_only=True)["zoomvqa"]
    assert entry.items() >= wanted.items()
    scored = command("predict", "ckpt=bare/checkpoints/best.ckpt", f"input={labelled}", "output=s.csv")
    assert scored.code == 0, scored.err


def test_the_same_seed_gives_the_same_weights(labelled, command: Run, tmp_path):
    states = []
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        outcome = command("train", *SMALL, *on(labelled), f"output={name}", f"seed={seed}", "logger=csv")
        assert outcome.code == 0, outcome.err
        states.append(torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"])
    key = "net.head_score.0.weight"
    assert torch.equal(states[0][key], states[1][key])
    assert not torch.equal(states[0][key], states[2][key])


def test_the_average_and_the_raw_weights_are_validated(labelled, command: Run, tmp_path):
    extra = ("branch.optimiser.ema_decay=0.5", "trainer.max_epochs=1", "output=ema")
    outcome = command("train", *SMALL, *on(labelled), *extra)
    assert outcome.code == 0, outcome.err
    last = torch.load(tmp_path / "ema" / "checkpoints" / "last.ckpt", weights_only=True)
    key = "head_score.0.weight"
    assert not torch.equal(last["state_dict"]["net." + key], last["state_dict"]["averaged.module." + key])
    (row,) = [row for row in read(tmp_path / "ema" / "metrics.csv") if row["val/selection"]]
    better = max(("val_raw", "net"), ("val_ema", "averaged"), key=lambda p: float(row[f"{p[0]}/selection"]))
    assert float(row["val/srcc"]) == float(row[f"{better[0]}/srcc"])
    best = torch.load(tmp_path / "ema" / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["zoomvqa"]["weights"] == better[1]
    scored = command("predict", "ckpt=ema/checkpoints/best.ckpt", "data=folder", *on(labelled), "output=s.csv")
    assert scored.code == 0
    ours = {row["video"]: row["prediction"] for row in read(tmp_path / "ema" / "val_predictions.csv")}
    assert {row["video"]: row["score"] for row in read(tmp_path / "s.csv")} == ours


@pytest.mark.parametrize(
    "options",
    [
        ("trainer.precision=bf16-mixed",),
        ("branch.loss.name=plcc_rank", "branch.loss.soft_srcc_weight=0.1", "branch.mixing.mixup=0.3"),
        ("branch.view.test_crops=5", "branch.view.crop=32", "branch.loading.cache=false"),
    ],
)
def test_options(labelled, command: Run, options):
    outcome = command("train", *SMALL, *on(labelled), "output=run", "trainer.max_epochs=1", *options)
    assert outcome.code == 0, outcome.err


def test_wandb_offline_without_an_account(labelled, command: Run, tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    extra = ("output=run", "trainer.max_epochs=1", "logger=[csv,wandb]", "logger.wandb.offline=true")
    outcome = command("train", *SMALL, *on(labelled), *extra)
    assert outcome.code == 0, outcome.err
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*"))


def test_from_folders_of_frames(labelled, command: Run, tmp_path):
    outcome = command("extract_frames", f"input={labelled}", "output=frames", "fps=2")
    assert outcome.code == 0, outcome.err
    table = (labelled / "scores.csv").read_text()
    (tmp_path / "scores.csv").write_text(table.replace(".mp4", ""))
    where = ("data=frames", "data.root=frames", "data.annotations=scores.csv", "data.val_share=0.4")
    outcome = command("train", *SMALL, *where, "output=run", "trainer.max_epochs=1")
    assert outcome.code == 0, outcome.err
    ckpt = "ckpt=run/checkpoints/best.ckpt"
    assert command("predict", ckpt, *where, "output=f.csv").code == 0
    assert command("predict", ckpt, "data=folder", *on(labelled), "output=v.csv").code == 0
    from_frames = [row["score"] for row in read(tmp_path / "f.csv")]
    assert from_frames == [row["score"] for row in read(tmp_path / "v.csv")]


def test_two_processes(labelled, tmp_path):
    """DDP as a user starts it; three validation videos do not divide by two."""
    rows = (labelled / "scores.csv").read_text().splitlines()
    (tmp_path / "scores.csv").write_text("\n".join(rows[:-1]))
    where = [f"data.root={labelled}", f"data.annotations={tmp_path / 'scores.csv'}", "data.val_share=0.4"]
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, *where, "trainer=ddp_cpu2", "output=run", "seed=4"]
    command += ["trainer.max_epochs=1", "data.split_seed=2"]
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    predictions = read(tmp_path / "run" / "val_predictions.csv")
    assert len({row["video"] for row in predictions}) == len(predictions)
    # The checkpoint of two processes, scored by one: the same figures to 1e-6.
    scored = subprocess.run(
        [sys.executable, str(ROOT / "predict.py"), "ckpt=run/checkpoints/best.ckpt", "data=folder", *where,
         "data.split_seed=2", "output=s.csv"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    alone = {row["video"]: float(row["score"]) for row in read(tmp_path / "s.csv")}
    assert set(alone) == {row["video"] for row in predictions}
    np.testing.assert_allclose([alone[r["video"]] for r in predictions],
                               [float(r["prediction"]) for r in predictions], atol=2e-6)  # fmt: skip
    assert "SRCC" in scored.stdout


@pytest.mark.parametrize("devices", ["[0]", "-1"])
def test_numbers_of_gpus_on_a_cpu(labelled, command: Run, devices):
    outcome = command("train", *SMALL, *on(labelled), "output=run", f"trainer.devices={devices}")
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1].startswith("error: trainer: `devices` selected with `CPUAccelerator`")


def test_wandb_without_an_account(labelled, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
    environment |= {"HOME": str(tmp_path), "WANDB_BASE_URL": "http://127.0.0.1:9"}
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, *on(labelled), "output=run", "logger=wandb"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert "without an account use logger.wandb.offline=true" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_single_validation_video(labelled, command: Run, tmp_path):
    rows = (labelled / "scores.csv").read_text().splitlines()
    splits = ["split", *["train"] * (len(rows) - 2), "val"]
    lines = [f"{row.rsplit(',', 1)[0]},{split}" for row, split in zip(rows, splits, strict=True)]
    (tmp_path / "one.csv").write_text("\n".join(lines))
    outcome = command("train", *SMALL, f"data.root={labelled}", "data.annotations=one.csv", "output=run")
    assert outcome.code == 0, outcome.err
    assert len(read(tmp_path / "run" / "val_predictions.csv")) == 1


def test_training_that_diverges_says_so(labelled, command: Run):
    extra = ("branch.optimiser.lr=1e20", "branch.loss.name=mse", "output=run", "trainer.max_epochs=3")
    outcome = command("train", *SMALL, *on(labelled), *extra)
    assert outcome.code == 2, outcome.err
    assert "a smaller branch.optimiser.lr may help" in outcome.err


def test_without_loggers(labelled, command: Run, tmp_path):
    outcome = command("train", *SMALL, *on(labelled), "output=run", "trainer.max_epochs=1", "logger=none")
    assert outcome.code == 0, outcome.err
    assert not (tmp_path / "run" / "metrics.csv").exists()


def test_a_scale_free_loss_is_said_when_scoring(labelled, command: Run):
    extra = ("branch.loss.name=plcc", "output=run", "trainer.max_epochs=1")
    assert command("train", *SMALL, *on(labelled), *extra).code == 0
    outcome = command("predict", "ckpt=run/checkpoints/best.ckpt", f"input={labelled}")
    assert "its scores order videos, they are no MOS" in outcome.err


def test_overwriting_starts_with_the_run_not_before(labelled, command: Run, tmp_path):
    assert command("train", *SMALL, *on(labelled), "output=run", "trainer.max_epochs=1").code == 0
    before = (tmp_path / "run" / "checkpoints" / "best.ckpt").read_bytes()
    wrong = [a.replace("test_efficientnet", "resnet5o") for a in SMALL]
    assert command("train", *wrong, *on(labelled), "output=run", "overwrite=true").code == 2
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").read_bytes() == before
    again = command(
        "train", *SMALL, *on(labelled), "output=run", "overwrite=true", "seed=5", "trainer.max_epochs=1"
    )
    assert again.code == 0, again.err
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").read_bytes() != before


def test_a_run_is_not_overwritten_unless_wanted(trained, labelled, command: Run):
    before = (trained / "checkpoints" / "best.ckpt").read_bytes()
    outcome = command("train", *SMALL, *on(labelled), f"output={trained}")
    assert outcome.code == 2
    assert "already holds a run; give another output=, resume=auto or overwrite=true" in outcome.err
    assert (trained / "checkpoints" / "best.ckpt").read_bytes() == before


def test_interrupted_training(labelled, tmp_path):
    """Ctrl-C ends with 130 and one word."""
    where = [f"data.root={labelled}", f"data.annotations={labelled / 'scores.csv'}", "data.val_share=0.4"]
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, *where, "output=run", "trainer.max_epochs=5000"]
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache")}
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    _, printed = run.communicate(timeout=60)
    assert run.returncode == 130, printed[-2000:]
    assert "interrupted" in printed
    assert "Traceback" not in printed
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] > 0
