"""Arguments of Lightning's Trainer, callbacks and loggers that are given on the command line."""

import csv
import json
import signal
import sys

import pytest
import torch
from omegaconf import OmegaConf

from cli.conftest import SMALL, Run, on
from cli.test_mistakes import one_line
from cli.test_resume import killed, same
from zoomvqa.training.resume import settings_of

# A callback and a logger of a user's, in a file of their own.
MINE = '''
from pathlib import Path
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

class Count(Callback):
    """Writes how many training batches there were."""
    def __init__(self, file, every=1):
        if every < 1:
            raise ValueError("every must be positive")
        self.file, self.batches = Path(file), 0

    def on_train_batch_end(self, *_):
        self.batches += 1

    def on_train_end(self, *_):
        self.file.write_text(str(self.batches))

class Lines(Logger):
    """Writes a line for each thing that it is told."""
    def __init__(self, file):
        self.file = Path(file)

    name, version = "lines", "0"

    def _add(self, kind, values):
        with self.file.open("a") as handle:
            handle.write(f"{kind} {sorted(values)}\\n")

    def log_metrics(self, metrics, step=None):
        self._add("metrics", metrics)

    def log_hyperparams(self, params, *args, **kwargs):
        self._add("config", params)

class NeedsAServer(Lines):
    def log_hyperparams(self, params, *args, **kwargs):
        raise ConnectionError("no answer from\\nlocalhost")

class NeedsAPackageLater(Callback):
    def setup(self, *_, **__):
        import a_package_that_nobody_has

class NeedsAPackage(Lines):
    def __init__(self):
        import a_package_that_nobody_has
'''


@pytest.fixture
def mine(tmp_path, monkeypatch) -> str:
    """The name of a module with a callback and a logger."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["trainer.limit_trian_batches=3"],
            "trainer.limit_trian_batches: unknown key (did you mean 'limit_train_b",
        ),
        (
            ["+trainer.limit_trian_batches=3"],
            "trainer.limit_trian_batches: unknown key (did you mean 'limit_train",
        ),
        (
            ["trainer.max_steps=3"],
            "trainer.max_steps: got 3, expected trainer.max_epochs, with trainer.limit_train",
        ),
        (["+trainer.callbacks=[]"], "trainer.callbacks: got [], expected the key `callbacks` beside `trainer`"),
        (["trainer.detect_anomaly=maybe"], "trainer.detect_anomaly: got 'maybe', expected a valid boolean"),
        (["+trainer.max_epochs=0"], "trainer.max_epochs: got 0, expected greater than 0"),
        (["callbacks.a=3"], "callbacks.a: got 3, expected {key: value}"),
        (["callbacks.a.b=3"], "callbacks.a: got {'b': 3}, expected _target_, the dotted path of a class"),
        (["+logger.csw.b=3"], "logger.csw: got {'b': 3}, expected csv, tensorboard, wandb, or _target_"),
        (
            ["callbacks.a._target_=no_such_module.A"],
            "callbacks.a._target_: got no_such_module.A, expected the dotted",
        ),
        (
            ["callbacks.a._target_=lightning.pytorch.callbacks.DeviceStatMonitor"],
            "lightning.pytorch.callbacks has no 'DeviceStatMonitor' (did you mean 'DeviceStatsMonitor'?)",
        ),
        (
            ["callbacks.a._target_=torch.nn.ReLU"],
            "callbacks.a._target_: got torch.nn.ReLU, expected a subclass of lightning.pytorch.callbacks.Callback",
        ),
        (
            ["+logger.a._target_=torch.nn.ReLU"],
            "logger.a._target_: got torch.nn.ReLU, expected a subclass of lightning.pytorch.loggers.Logger",
        ),
    ],
)
def test_mistakes(command: Run, arguments, message):
    one_line(command("train", *SMALL, "data.root=.", "data.annotations=no.csv", *arguments), message)


def test_what_cannot_be_made_ends_in_one_line(labelled, command: Run, mine):
    for asked, message in (
        (
            ["callbacks.a._target_={}.Count", "callbacks.a.files=x"],
            "callbacks.a: {}.Count cannot be made: Count.__init",
        ),
        (
            ["callbacks.a._target_={}.Count", "callbacks.a.file=x", "callbacks.a.every=0"],
            "callbacks.a: {}.Count cannot be made: every must be positive",
        ),
        (["+logger.a._target_={}.NeedsAServer", "+logger.a.file=x"], "logger.a: no answer from localhost"),
        (["+logger.a._target_={}.NeedsAPackage"], "logger.a: {}.NeedsAPackage: No module named 'a_package_that"),
        (["callbacks.a._target_={}.NeedsAPackageLater"], "No module named 'a_package_that_nobody_has'"),
    ):
        arguments = [a.format(mine) for a in asked]
        outcome = command("train", *SMALL, *on(labelled), "weights.head=random", *arguments)
        assert "Traceback" not in outcome.err
        assert outcome.code == 2
        assert f"error: {message.format(mine)}" in " ".join(outcome.err.split())


def test_mlflow_is_missing(labelled, command: Run, monkeypatch):
    monkeypatch.setattr("lightning.pytorch.loggers.mlflow._MLFLOW_AVAILABLE", False)
    monkeypatch.setattr("lightning.pytorch.loggers.mlflow._MLFLOW_SKINNY_AVAILABLE", False, raising=False)
    outcome = command("train", *SMALL, *on(labelled), "weights.head=random", "logger=mlflow")
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    assert "error: logger.mlflow: lightning.pytorch.loggers.MLFlowLogger: " in " ".join(outcome.err.split())


def test_what_lightning_refuses_ends_in_one_line(labelled, command: Run):
    for asked, message in (
        ("trainer.strategy=fsdp", "trainer: "),
        ("trainer.gradient_clip_algorithm=nrom", "trainer: "),
        ("trainer.sync_batchnorm=true", "trainer.sync_batchnorm: got true without a GPU, expected false"),
        ("trainer.limit_train_batches=0.01", "trainer.limit_train_batches: got 0.01, expected a larger share"),
    ):
        outcome = command("train", *SMALL, *on(labelled), "weights.head=random", asked)
        assert outcome.code == 2
        assert "Traceback" not in outcome.err
        assert f"error: {message}" in " ".join(outcome.err.split())


@pytest.mark.slow
def test_a_run_with_further_keys(labelled, command: Run, mine, tmp_path):
    asked = (
        "trainer.limit_train_batches=1", "trainer.limit_val_batches=3", "+trainer.detect_anomaly=true",
        "trainer.gradient_clip_algorithm=value", "+trainer.gradient_clip_val=0.5",
        "trainer.enable_progress_bar=false", "trainer.enable_model_summary=true",
        "trainer.benchmark=false", "+trainer.profiler=simple",
        f"callbacks.count._target_={mine}.Count", "callbacks.count.file=${output}/count.txt",
        "+callbacks.timer._target_=lightning.pytorch.callbacks.Timer", "logger=[csv]",
        f"+logger.lines._target_={mine}.Lines", "+logger.lines.file=lines.txt",
    )  # fmt: skip
    outcome = command("train", *SMALL, *on(labelled), *asked, "output=run")
    assert outcome.code == 0, outcome.err
    run = tmp_path / "run"
    assert (run / "count.txt").read_text() == "2"
    assert json.loads((run / "figures.json").read_text())["videos"] == 3
    lines = (tmp_path / "lines.txt").read_text()
    assert lines.startswith("config ['branch',")
    assert "metrics ['best/" in lines
    config = OmegaConf.to_container(OmegaConf.load(run / "config.yaml"))
    assert config["trainer"]["gradient_clip_algorithm"] == "value"
    assert config["callbacks"]["count"] == {"_target_": f"{mine}.Count", "file": "run/count.txt"}
    assert settings_of(run).trainer.model_dump()["detect_anomaly"] is True
    # A checkpoint has the names as plain data, which the safe reader takes.
    kept = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["zoomvqa"]["config"]
    assert kept["callbacks"] == config["callbacks"]
    assert command("predict", f"ckpt={run}/checkpoints/best.ckpt", f"input={labelled}", "output=s.csv").code == 0

    one_line(command("train", "resume=run"), "resume: got run, whose config has callbacks.count._target_=")
    longer = (*SMALL, *on(labelled), *asked, "output=run", "resume=auto", "trainer.max_epochs=3")
    one_line(
        command("train", *longer, "callbacks.count.every=2"),
        "callbacks.count.every: got 2, but the run in run that resume=auto goes on with has None",
    )
    one_line(
        command("train", *longer, "trainer.limit_train_batches=2"),
        "trainer.limit_train_batches: got 2, but the run in run that resume=auto goes on with has 1",
    )
    outcome = command("train", *longer, "trainer.detect_anomaly=false")  # changes nothing that is learned
    assert outcome.code == 0, outcome.err
    assert (run / "count.txt").read_text() == "1"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "steps", "how"),
    [
        (("trainer.limit_train_batches=2", "trainer.max_epochs=3"), 3, signal.SIGTERM),
        (("trainer.limit_train_batches=0.8", "trainer.max_epochs=3"), 3, signal.SIGKILL),
        (("trainer.check_val_every_n_epoch=2", "trainer.max_epochs=4"), 6, signal.SIGKILL),
    ],
    ids=["short-term", "short-kill", "validated-seldom"],
)
def test_a_killed_run_ends_as_one_that_was_not(labelled, command: Run, tmp_path, keys, steps, how):
    arguments = (*SMALL, *on(labelled), "branch.loading.batch_size=4", "branch.optimiser.ema_decay=0.9", *keys)
    outcome = command("train", *arguments, "output=whole")
    assert outcome.code == 0, outcome.err
    done = killed((*arguments, "output=cut"), tmp_path, how, steps)
    assert done.returncode == (-9 if how == signal.SIGKILL else 143), done.stderr[-3000:]
    outcome = command("train", "resume=cut")
    assert outcome.code == 0, outcome.err
    same(tmp_path / "whole", tmp_path / "cut")
    one, other = (tmp_path / name / "val_predictions.csv" for name in ("whole", "cut"))
    assert one.read_text() == other.read_text()


@pytest.mark.slow
def test_the_learning_rate_follows_short_epochs(labelled, command: Run, tmp_path):
    keys = ("branch.loading.batch_size=4", "trainer.limit_train_batches=2", "output=run")
    outcome = command("train", *SMALL, *on(labelled), *keys)
    assert outcome.code == 0, outcome.err
    with (tmp_path / "run" / "metrics.csv").open(newline="") as handle:
        rates = [float(v) for row in csv.DictReader(handle) for k, v in row.items() if k.endswith("heads") and v]
    # Half a cosine over four steps.
    assert [rate / rates[0] for rate in rates] == pytest.approx([1.0, 0.853553, 0.5, 0.146447], abs=1e-5)


@pytest.mark.slow
def test_an_early_stop_waits_for_min_epochs(labelled, command: Run, tmp_path):
    keys = (
        "early_stopping.patience=1",
        "early_stopping.min_delta=9",
        "trainer.max_epochs=5",
        "trainer.min_epochs=3",
    )
    for arguments in ((*SMALL, *on(labelled), *keys, "output=run"), ("resume=run",)):
        outcome = command("train", *arguments)
        assert outcome.code == 0, outcome.err
        assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 2


def test_further_keys_in_a_sweep(command: Run):
    sweep = ("-m", *SMALL, "data.root=.", "data.annotations=no.csv")
    one_line(
        command("train", *sweep, "trainer.limit_train_batches=1,0"), "trainer.limit_train_batches: got 0, expected"
    )
