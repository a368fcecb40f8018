"""What is to be seen of a run: loggers, checkpoints, where time goes; and runs for a quick look."""

import json
import subprocess

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cli.conftest import SMALL, Run, on
from cli.test_mistakes import one_line
from cli.test_train_vqa import TINY, read
from zoomvqa.training import fitting

pytestmark = pytest.mark.slow


def test_everything_at_once(labelled, command: Run, tmp_path):
    loggers = ("logger=[csv,tensorboard,wandb]", "logger.wandb.offline=true")
    keep = ("keep.top_k=2", "keep.average=true", "trainer.max_epochs=3", "trainer.profiler=simple")
    outcome = command("train", *SMALL, *on(labelled), *loggers, *keep, "output=run")
    assert outcome.code == 0, outcome.err
    run = tmp_path / "run"
    wanted = {"lr-AdamW/backbone", "lr-AdamW/heads", "time/data_wait", "time/step", "train/loss", "val/krcc"}
    wanted |= {"train/srcc", "train/plcc", "train/grad_norm"}
    assert wanted <= set(read(run / "metrics.csv")[0])
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    assert wanted <= set(events.Tags()["scalars"])
    assert "val/scatter" in events.Tags()["images"]
    best = max(float(row["val/selection"]) for row in read(run / "metrics.csv") if row["val/selection"])
    assert events.Scalars("best/selection")[-1].value == pytest.approx(best, abs=1e-6)
    assert "_hparams_/experiment" in events.summary_metadata
    announced = events.summary_metadata["_hparams_/experiment"].plugin_data.content
    assert b"best/selection" in announced
    assert float(read(run / "metrics.csv")[0]["train/grad_norm"] or 1) > 0
    assert "backbone: test_efficientnet" in (run / "tensorboard" / "hparams.yaml").read_text()
    assert list((run / "wandb").glob("offline-run-*/files/media/images/val/scatter*.png"))
    assert "Profiler Report" in (run / "fit-profile.txt").read_text()
    versions = json.loads((run / "versions.json").read_text())
    assert versions["torch"] == torch.__version__.split("+")[0]
    assert "GFLOPs" in outcome.err
    # The mean of the best two epochs' weights, which scores what it says.
    states = {p.stem: torch.load(p, weights_only=True) for p in (run / "checkpoints").glob("*.ckpt")}
    epochs = sorted(name for name in states if name.startswith("epoch_"))
    assert len(epochs) == 2
    key = "net.head_score.0.weight"
    mean = torch.stack([states[name]["state_dict"][key] for name in epochs]).mean(dim=0)
    torch.testing.assert_close(states["averaged"]["state_dict"][key], mean)
    scored = command("predict", "ckpt=run/checkpoints/averaged.ckpt", "data=folder", *on(labelled), "output=s.csv")
    srcc = states["averaged"]["zoomvqa"]["figures"]["srcc"]
    assert f"SRCC {srcc:.4f}" in scored.out
    assert f"Its validation: SRCC {srcc:.4f}" in outcome.err


def test_early_stopping_stays_stopped(labelled, command: Run, tmp_path):
    # A step so small that nothing changes.
    still = ("branch.optimiser.lr=1e-12", "trainer.max_epochs=9", "early_stopping.patience=1", "resume=auto")
    stop = (*TINY, *on(labelled), *still, "early_stopping.min_delta=0.001", "output=run")
    for _ in range(2):
        outcome = command("train", *stop)
        assert outcome.code == 0, outcome.err
        assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 1


def test_debug_overfit_validates_on_what_is_trained_on(labelled, command: Run, tmp_path):
    plain = (*TINY, *on(labelled), "data.limit=5", "trainer.max_epochs=1")
    assert command("train", *plain, "debug=overfit", "output=run").code == 0
    own = {row["video"] for row in read(tmp_path / "run" / "val_predictions.csv")}
    assert command("train", *plain, "output=other").code == 0
    other = {row["video"] for row in read(tmp_path / "other" / "val_predictions.csv")}
    assert len(own) == 5
    assert not own & other


@pytest.mark.parametrize("debug", ["fast", "profile"])
def test_debug_is_one_epoch_of_everything(labelled, command: Run, tmp_path, debug):
    tiny = (a for a in TINY if "max_epochs" not in a)
    outcome = command("train", *tiny, *on(labelled), f"debug={debug}", "output=run")
    assert outcome.code == 0, outcome.err
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 0
    assert (tmp_path / "run" / "fit-profile.txt").exists() == (debug == "profile")


def test_averaging_needs_several(labelled, command: Run):
    outcome = command("train", *TINY, *on(labelled), "keep.average=true")
    one_line(outcome, "keep.average: got True, expected false, or keep.top_k of 2 or more to average")


def test_the_revision_of_a_clone(tmp_path, monkeypatch):
    import zoomvqa
    from zoomvqa.training.versions import versions

    monkeypatch.setattr(zoomvqa, "__file__", str(tmp_path / "zoomvqa" / "__init__.py"))
    assert versions()["git"] is None
    (tmp_path / "a.txt").write_text("1")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "a.txt"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *arguments], check=True)
    clean = versions()["git"]
    assert clean is not None
    assert len(clean) == 40
    (tmp_path / "a.txt").write_text("2")
    assert versions()["git"] == f"{clean}+changes"


def test_compiling_is_asked_of_torch_or_refused(labelled, command: Run, monkeypatch):
    asked = []
    monkeypatch.setattr(fitting.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: asked.append(type(self).__name__))
    arguments = (*SMALL, *on(labelled), "trainer.max_epochs=1", "logger=none", "compile=true")
    assert command("train", *arguments, "output=one").code == 0
    assert asked == ["IQANet"]
    monkeypatch.setattr(fitting.shutil, "which", lambda _: None)
    refused = command("train", *arguments, "output=two")
    assert refused.code == 2
    assert refused.err.splitlines()[-1].startswith("error: compile: got true, but there is no C++ compiler")
