"""Runs that are killed, and go on to the same weights as without."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from cli.conftest import SMALL, Run, on
from cli.test_mistakes import one_line
from cli.test_train_vqa import TINY, read
from zoomvqa.training.resume import settings_of

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "train.py"
VQA = (*TINY, "branch.loading.batch_size=2", "branch.network.drop_path=0.2", "branch.network.dropout=0.3")
IQA = (*SMALL, "branch.loading.batch_size=4", "branch.mixing.mixup=0.4", "branch.optimiser.ema_decay=0.9")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def same(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(v, second[k]) for k, v in first.items())


def killed(
    arguments: tuple[str, ...], folder: Path, how: signal.Signals, steps: int
) -> subprocess.CompletedProcess:
    """Train in a process of its own, and kill it after so many steps."""
    code = f"""
import os, signal, sys
import lightning
from lightning.pytorch.callbacks import Callback
from zoomvqa.training import fitting

class Kill(Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == {steps}:
            os.kill(os.getpid(), signal.{how.name})

made = fitting.build_callbacks
fitting.build_callbacks = lambda *a: [Kill(), *made(*a)]
from zoomvqa.cli.train import main
main()
"""
    environment = os.environ | {"ZOOMVQA_CACHE": str(folder / "cache"), "PYTHONPATH": str(SCRIPT.parent)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("branch", "how", "steps"),
    [
        (VQA, signal.SIGKILL, 6),
        (VQA, signal.SIGTERM, 6),
        (IQA, signal.SIGTERM, 9),
        ((*VQA, "branch.loading.workers=2"), signal.SIGTERM, 5),
        ((*VQA, "trainer.accumulate_grad_batches=2"), signal.SIGTERM, 3),
    ],
    ids=["vqa-kill", "vqa-term", "iqa-term", "workers", "accumulated"],
)
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(
    labelled, command: Run, tmp_path, branch, how, steps
):
    arguments = (*branch, *on(labelled), "trainer.max_epochs=3")
    assert command("train", *arguments, "output=whole").code == 0
    done = killed((*arguments, "output=cut"), tmp_path, how, steps)
    assert done.returncode == (-9 if how == signal.SIGKILL else 143), done.stderr[-3000:]
    epoch = torch.load(tmp_path / "cut" / "checkpoints" / "last.ckpt", weights_only=True)
    assert epoch["global_step"] == (steps if how == signal.SIGTERM else 4)
    if how == signal.SIGTERM:
        assert "resume=cut goes on" in " ".join(done.stderr.split())
    before = read(tmp_path / "cut" / "metrics.csv") if how == signal.SIGKILL else []
    outcome = command("train", "resume=cut")
    assert outcome.code == 0, outcome.err
    whole, cut = (read(tmp_path / name / "metrics.csv") for name in ("whole", "cut"))
    validated = [[row["epoch"], row["val/selection"]] for row in whole if row["val/selection"]]
    assert [[row["epoch"], row["val/selection"]] for row in cut if row["val/selection"]] == validated
    assert [row["step"] for row in cut if row["train/loss"]] == [row["step"] for row in whole if row["train/loss"]]
    assert not before or any(row["val/selection"] for row in before)
    assert "Going on from cut/checkpoints/last.ckpt" in outcome.err
    same(tmp_path / "whole", tmp_path / "cut")
    for name in ("val_predictions.csv", "checkpoints/best.ckpt"):
        assert (tmp_path / "cut" / name).is_file()
    one, other = (tmp_path / n / "val_predictions.csv" for n in ("whole", "cut"))
    assert one.read_text() == other.read_text()


def test_a_finished_run_is_made_longer(labelled, command: Run, tmp_path):
    assert command("train", *VQA, *on(labelled), "trainer.max_epochs=1", "output=run").code == 0
    outcome = command("train", "resume=run", "trainer.max_epochs=2")
    assert outcome.code == 0, outcome.err
    assert "2 epochs instead of 1: the learning rate goes on along the cosine of 2 epochs" in " ".join(
        outcome.err.split()
    )
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["epoch"] == 1
    assert settings_of(tmp_path / "run").trainer.max_epochs == 2
    again = (*VQA, *on(labelled), "trainer.max_epochs=3", "output=run", "resume=auto")
    assert command("train", *again).code == 0
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 2
    one_line(
        command("train", "resume=run", "trainer.max_epochs=2"), "trainer.max_epochs: got 2, expected 3 or more"
    )
    one_line(
        command("train", "resume=run", "seed=2"), "resume: the run's own settings are used, so nothing else but"
    )


def test_the_same_command_again_with_auto(labelled, command: Run, tmp_path):
    arguments = (*VQA, *on(labelled), "trainer.max_epochs=2", "resume=auto")
    assert command("train", *arguments, "output=whole").code == 0
    assert killed((*arguments, "output=cut"), tmp_path, signal.SIGTERM, 3).returncode == 143
    assert command("train", *arguments, "output=cut").code == 0
    same(tmp_path / "whole", tmp_path / "cut")
    # A finished run has nothing left to do, and says the same again.
    outcome = command("train", *arguments, "output=cut")
    assert outcome.code == 0, outcome.err
    assert "Validation: SRCC" in outcome.err
    outcome = command("train", *arguments, "output=cut", "branch.optimiser.lr=0.5")
    one_line(outcome, "branch.optimiser.lr: got 0.5, but the run in cut that resume=auto goes on with has 0.001")


def test_killed_from_outside_at_any_moment(labelled, command: Run, tmp_path):
    arguments = (*VQA, *on(labelled), "trainer.max_epochs=6")
    assert command("train", *arguments, "output=whole").code == 0
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache")}
    run = [sys.executable, str(SCRIPT), *arguments, "resume=auto", "output=cut"]
    for wait in (6.0, 7.0, 8.0):
        process = subprocess.Popen(run, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.kill()
        process.wait()
    done = subprocess.run(
        run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    same(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize("folder_is", ["output", "given"])
def test_a_run_killed_before_its_first_checkpoint_begins_again(labelled, command: Run, tmp_path, folder_is):
    arguments = (*VQA, *on(labelled), "trainer.max_epochs=2", "output=cut", "resume=auto")
    assert command("train", *arguments).code == 0
    first = weights(tmp_path / "cut")
    (tmp_path / "cut" / "checkpoints" / "last.ckpt").unlink()
    again = arguments if folder_is == "output" else ("resume=cut",)
    one_line(command("train", *again), "resume: cut holds a finished run, but no checkpoints/last.ckpt")
    (tmp_path / "cut" / "figures.json").unlink()  # as it is when the first epoch is not over
    one_line(command("train", *arguments, "seed=3"), "seed: got 3, but the run in cut that resume=auto goes on")
    assert command("train", *again).code == 0
    assert all(torch.equal(v, first[k]) for k, v in weights(tmp_path / "cut").items())


def test_mistakes(labelled, command: Run, tmp_path):
    one_line(command("train", "resume=nowhere"), "resume: nowhere holds no run that can go on")
    one_line(
        command("train", "resume=nowhere", "seed=3"), "so nothing else but trainer.max_epochs may be given: seed=3"
    )
    assert command("train", *VQA, *on(labelled), "output=run", "trainer.max_epochs=1").code == 0
    outcome = command("train", *VQA, *on(labelled), "output=run")
    one_line(outcome, "output: run already holds a run; give another output=, resume=auto or overwrite=true")
    (tmp_path / "run" / "config.yaml").write_text("a: [")
    one_line(command("train", "resume=run"), "config.yaml cannot be read")


def test_relative_paths_count_from_where_the_run_was_started(labelled, command: Run, tmp_path, monkeypatch):
    start, other = tmp_path / "start", tmp_path / "other"
    other.mkdir()
    shutil.copytree(labelled, start / "videos")
    monkeypatch.chdir(start)
    data = ("data.root=videos", "data.annotations=videos/scores.csv", "data.val_share=0.4")
    arguments = (*SMALL, *data, "trainer.max_epochs=1", "branch.loading.cache_folder=cached")
    assert command("train", *arguments, "output=first").code == 0
    again = [a for a in arguments if not a.startswith("weights")]
    outcome = command("train", *again, "weights=first/checkpoints/best.ckpt", "output=run")
    assert outcome.code == 0, outcome.err
    monkeypatch.chdir(other)
    for resume in ("resume=../start/run", f"resume={start}/run"):
        outcome = command("train", resume)
        assert outcome.code == 0, outcome.err
    assert not {"run", "cached", "videos"} & {path.name for path in other.iterdir()}
    found = settings_of(start / "run")
    assert (found.data.root, found.data.annotations) == (f"{start}/videos", f"{start}/videos/scores.csv")
    assert found.weights.source == f"{start}/first/checkpoints/best.ckpt"
    assert found.branch.loading.cache_folder == f"{start}/cached"
    absolute = [a.replace("=videos", f"={start}/videos").replace("=cached", f"={start}/cached") for a in arguments]
    outcome = command("train", *absolute, f"output={start}/first", "resume=auto")
    assert outcome.code == 0, outcome.err
    (start / "videos").rename(start / "moved")
    one_line(command("train", "resume=../start/run"), "no such annotation file: videos/scores.csv")
    # What was moved along with the run, or is of a run that did not note where it was started.
    (start / "moved").rename(other / "videos")
    assert settings_of(start / "run").data.root == "videos"
    (start / "run" / "versions.json").unlink()
    assert settings_of(start / "run").weights.source == "first/checkpoints/best.ckpt"
    # What was trained before weights.head was a key had a head of random numbers.
    config = start / "run" / "config.yaml"
    config.write_text("".join(line for line in config.open() if not line.strip().startswith("head:")))
    assert settings_of(start / "run").weights.head == "random"
