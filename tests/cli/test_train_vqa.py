"""`train.py branch=vqa` and scoring with what it leaves, on small real videos."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils import cpp_extension

from cli.conftest import Run, on

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
# A VQA branch that trains in a second.
TINY = (
    "branch=vqa",
    "data=folder",
    "branch.network.backbone=swin_nano",
    "branch.network.patch=4",
    "branch.sampling.clip_len=4",
    "branch.view.resize=-1",
    "branch.view.grid=2",
    "branch.view.side=16",
    "branch.loading.batch_size=4",
    "branch.loading.workers=0",
    "branch.optimiser.backbone_lr_factor=1",
    "branch.optimiser.ema_decay=0.5",
    "trainer=cpu",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_training_and_scoring(labelled, command: Run, tmp_path):
    outcome = command("train", *TINY, *on(labelled), "output=run")
    assert outcome.code == 0, outcome.err
    entry = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)["zoomvqa"]
    assert (entry["branch"], entry["unit"], entry["sampling"]["clip_len"]) == ("vqa", "none", 4)
    metrics = read(tmp_path / "run" / "metrics.csv")
    assert {"val/srcc", "val_raw/srcc", "val_ema/srcc", "train/loss"} <= set(metrics[0])
    ckpt = "ckpt=run/checkpoints/best.ckpt"
    outcome = command("predict", ckpt, "data=folder", *on(labelled), "output=s.csv", "details=true")
    assert outcome.code == 0, outcome.err
    assert "its scores order videos, they are no MOS" in outcome.err
    ours = {row["video"]: float(row["prediction"]) for row in read(tmp_path / "run" / "val_predictions.csv")}
    scored = {row["video"]: float(row["score"]) for row in read(tmp_path / "s.csv")}
    assert scored == pytest.approx(ours, rel=1e-5, abs=1e-5)  # networks that score have their sums reordered
    assert len(read(tmp_path / "s.details.csv")) == 4 * len(ours)
    assert command("predict", ckpt, f"input={labelled}", "output=t.csv", "test_clips=2").code == 0


@pytest.mark.skipif(
    shutil.which("c++") is None or not cpp_extension.is_ninja_available(), reason="no C++ compiler or no ninja"
)
def test_compiled_it_learns_the_same(labelled, command: Run, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.nn.Module, "compile", lambda _: pytest.fail("torch was asked, too"))
    for name, options in (("usual", ()), ("built", ("compile=true",))):
        outcome = command("train", *TINY, *on(labelled), f"output={name}", *options)
        assert outcome.code == 0, outcome.err
    # Their weights are not compared: Adam makes steps of gradients that are rounding errors about 0.
    one, other = (
        [float(r["prediction"]) for r in read(tmp_path / n / "val_predictions.csv")] for n in ("usual", "built")
    )
    assert one == pytest.approx(other, abs=2e-3)
    assert one != other


def test_the_same_seed_gives_the_same_weights(labelled, command: Run, tmp_path):
    states = []
    for name, options in (("a", ("seed=1",)), ("b", ("seed=1",)), ("c", ("seed=2",))):
        outcome = command("train", *TINY, *on(labelled), f"output={name}", "branch.loading.variants=2", *options)
        assert outcome.code == 0, outcome.err
        states.append(torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"])
    assert all(torch.equal(v, states[1][k]) for k, v in states[0].items())
    assert not torch.equal(states[0]["net.vqa_head.fc_hid.weight"], states[2]["net.vqa_head.fc_hid.weight"])


@pytest.mark.parametrize(
    "options",
    [
        ("trainer.precision=bf16-mixed", "branch.network.recompute=true", "branch.network.drop_path=0.1"),
        ("branch.view.kind=whole", "branch.network.gated=false", "branch.loss.name=smooth_l1"),
        ("branch.view.kind=crop", "branch.sampling.train_clips=2", "branch.optimiser.ema_decay=null"),
    ],
)
def test_options(labelled, command: Run, options):
    outcome = command("train", *TINY, *on(labelled), "output=run", "trainer.max_epochs=1", *options)
    assert outcome.code == 0, outcome.err


def test_starting_from_a_checkpoint_of_another_patch(labelled, command: Run):
    assert command("train", *TINY, *on(labelled), "output=one", "trainer.max_epochs=1").code == 0
    more = ("weights=one/checkpoints/best.ckpt", "branch.network.patch=5", "branch.view.side=20")
    outcome = command("train", *TINY, *on(labelled), "output=two", "trainer.max_epochs=1", *more)
    assert outcome.code == 0, outcome.err
    assert "patch embedding resampled from 4 to 5 pixels" in " ".join(outcome.err.split())


def test_two_processes(labelled, tmp_path):
    command = [
        sys.executable,
        str(ROOT / "train.py"),
        *TINY,
        *on(labelled),
        "trainer=ddp_cpu2",
        "output=run",
        "seed=1",
    ]
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    predictions = read(tmp_path / "run" / "val_predictions.csv")
    assert len({row["video"] for row in predictions}) == len(predictions)
    ckpt = "ckpt=run/checkpoints/best.ckpt"
    scored = subprocess.run(
        [sys.executable, str(ROOT / "predict.py"), ckpt, "data=folder", *on(labelled), "output=s.csv"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr[-3000:]
    alone = {row["video"]: float(row["score"]) for row in read(tmp_path / "s.csv")}
    assert alone == pytest.approx({r["video"]: float(r["prediction"]) for r in predictions}, abs=2e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("branch.view.gird=3",), "branch.view.gird: unknown key (did you mean 'branch.view.grid'?)"),
        (("weights=none.pth",), "weights: no such file: none.pth"),
        (("weights=imagenet",), "weights: got 'imagenet', expected none, a name or a file"),
        (("branch.network.patch=40",), "branch.view: pictures of 32 pixels (grid · side) are too small"),
        (("branch.sampling.clip_len=0",), "branch.sampling.clip_len: got 0, expected greater than 0"),
        (("data=frames",), "data.layout: got 'frames', expected 'videos'"),
        (("branch.loading.batch_size=1",), "branch.loading.batch_size: got 1, expected at least 2: the loss plcc"),
        (("branch.sampling.test_clips=101",), "branch.sampling.test_clips: got 101, expected less than or equal"),
    ],
)
def test_mistakes(labelled, command: Run, arguments, message):
    outcome = command("train", *TINY, *on(labelled), "output=run", *arguments)
    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err


def test_clips_of_an_iqa_branch(trained, command: Run, labelled):
    ckpt = f"ckpt={trained / 'checkpoints' / 'best.ckpt'}"
    outcome = command("predict", ckpt, f"input={labelled}", "test_clips=2")
    assert outcome.code == 2
    assert "test_clips: got 2, but the checkpoint's branches (iqa) look at frames" in outcome.err
