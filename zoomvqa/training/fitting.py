"""One run of Lightning's Trainer: callbacks, loggers, and the folder that everything is written to."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
from pathlib import Path
from typing import Any, NamedTuple

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException
from omegaconf import OmegaConf

from zoomvqa.calibration import Unit
from zoomvqa.console import console, say
from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.errors import CheckpointError, SettingsError, ToolError, TrainingError
from zoomvqa.files import whole_file
from zoomvqa.internals.lightning_private import was_interrupted
from zoomvqa.metrics import Figures
from zoomvqa.models.vqa.attention import compile_attention
from zoomvqa.processes import is_first_process
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.training.averaging import BestEpochs, write_average
from zoomvqa.training.callbacks import build_callbacks
from zoomvqa.training.constant import told_constant
from zoomvqa.training.joined import Joined
from zoomvqa.training.loggers import build_loggers
from zoomvqa.training.module import QualityModule
from zoomvqa.training.report import ValidationReport
from zoomvqa.training.resume import WORKING_FOLDER, LongerRun
from zoomvqa.training.short_epochs import shorten_epochs
from zoomvqa.training.summary import parts_of, summary_table
from zoomvqa.training.trainer import build_trainer, refused
from zoomvqa.training.true_precision import NetworkPrecision
from zoomvqa.training.versions import versions


class Trained(NamedTuple):
    """What came of a training.

    Attributes:
        figures: of the best validation.
        unit: what the network's scores are in.
        ended_constant: whether the last epoch's weights predict the same of every video; the best ones do not.
    """

    figures: Figures
    unit: Unit
    ended_constant: bool = False


def fit(
    settings: TrainSettings,
    module: QualityModule,
    data: VideoDataModule,
    name: str,
    *,
    fresh: bool = True,
    resume_from: Path | None = None,
    brief: bool = False,
) -> Trained:
    """Train a module.

    Args:
        settings: of the whole run; everything is written under `settings.output`.
        module: what is trained.
        data: what it is trained on.
        name: of the network, for the user.
        fresh: make the run's folder when training starts; otherwise it is made already.
        resume_from: the checkpoint of a stopped run to go on from; its folder is kept.
        brief: validate after the last epoch alone, and print nothing of the network.

    Raises:
        UserError: the settings do not fit the data or this machine; or the best weights predict the same of every
            validation video.
    """
    output, config = Path(settings.output), settings.model_dump(mode="json")
    module.joined = Joined.of(data.labelled, data.val_videos)
    callbacks = build_callbacks(output, settings, data)
    if fresh and resume_from is None:
        callbacks.insert(0, _StartOfRun(output, config))
    if resume_from is not None:
        callbacks.append(LongerRun(output))
    about = config | {"versions": versions()}
    loggers = build_loggers(output, settings.logger, about, goes_on=resume_from is not None)
    trainer = build_trainer(settings.trainer, loggers, callbacks, output, validate_last=brief)
    shorten_epochs(data, settings.trainer.limit_train_batches)
    if not brief:
        _tell(module, name, data, settings)
    if settings.compile:
        _compile(module, trainer)
    if resume_from is not None:
        say(f"Going on from {resume_from}")
    try:
        _fit(trainer, module, data, resume_from)
        best = next((c for c in callbacks if isinstance(c, BestEpochs)), None)
        if settings.keep.average and best is not None and len(best.paths) > 1:
            write_average(trainer, module, data, best.paths)
    finally:
        if "wandb" in settings.logger:  # closed before the next run of a sweep
            import wandb  # noqa: PLC0415  only where it is used

            wandb.finish()
    return _ended(next(c for c in callbacks if isinstance(c, ValidationReport)), module, output)


def _ended(report: ValidationReport, module: QualityModule, output: Path) -> Trained:
    """Return what came of a training, and say so.

    Raises:
        UserError: there was no validation, or the best weights predict the same of every video.
    """
    if report.figures is None:
        raise SettingsError("trainer: no validation was run, so there is no best checkpoint")
    if report.constant is not None:
        told = told_constant(report.figures.videos, report.constant, module.constant_cause(report.constant))
        raise TrainingError(f"training failed, even in its best epoch: {told}")
    best_file = output / "checkpoints" / "best.ckpt"
    say(f"Best checkpoint: {best_file}")
    say(f"Validation: {report.figures.told(module.unit)}")
    if report.ended_constant:
        say(f"In the last epoch all validation predictions were equal; {best_file.name} is of an earlier one")
    return Trained(report.figures, module.unit, report.ended_constant)


def _tell(module: QualityModule, name: str, data: VideoDataModule, settings: TrainSettings) -> None:
    """Print what is trained on what."""
    if not is_first_process():
        return
    example = module.example()
    shapes = " and ".join("×".join(str(n) for n in part.shape) for part in example)
    console.print(summary_table(parts_of(module.net, example), f"an input of {shapes}"))
    say(
        f"Training {name} on {len(data.train_videos)} videos of '{data.labelled.name}', validating on "
        f"{len(data.val_videos)}{' of them' if settings.data.overfit else ''}"
    )


def _compile(module: QualityModule, trainer: lightning.Trainer) -> None:
    """Compile the attention of a Video Swin on a CPU now; have any other network compiled when it is first used.

    Raises:
        UserError: there is no compiler, or on a CPU the network has another dtype than float32.
    """
    on_cpu = trainer.strategy.root_device.type == "cpu"
    if on_cpu and isinstance(trainer.precision_plugin, NetworkPrecision):
        raise SettingsError(
            f"compile: got true with trainer.precision={trainer.precision} on a CPU, expected 32-true or "
            "bf16-mixed: what is compiled has float32 weights"
        )
    if on_cpu and compile_attention(module):
        return
    names = [os.environ.get("CXX", "g++"), "g++", "clang++"]
    if not any(shutil.which(name) for name in names):
        raise SettingsError("compile: got true, but there is no C++ compiler here (g++ or clang++)")
    module.net.compile()


def start_folder(output: Path, config: dict[str, Any]) -> None:
    """Make a run's folder, replacing an older run's results, and write its config and what it is made with."""
    for old in ("figures.json", "fold_scores.csv"):
        (output / old).unlink(missing_ok=True)
    for old in ("checkpoints", "folds"):
        shutil.rmtree(output / old, ignore_errors=True)
    with whole_file(output / "versions.json") as handle:
        json.dump(versions() | {WORKING_FOLDER: str(Path.cwd())}, handle, indent=1)
    with whole_file(output / "config.yaml") as handle:
        handle.write(OmegaConf.to_yaml(OmegaConf.create(config)))


class _StartOfRun(Callback):
    """Makes the run's folder when everything else is ready: an older run is replaced only by one that starts."""

    def __init__(self, output: Path, config: dict[str, Any]) -> None:
        self._output, self._config = output, config

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        if trainer.is_global_zero:
            start_folder(self._output, self._config)


def _fit(
    trainer: lightning.Trainer, module: QualityModule, data: VideoDataModule, resume_from: Path | None
) -> None:
    """Train; an interruption comes out as KeyboardInterrupt.

    Raises:
        UserError: Lightning does not take the settings, or a checkpoint of a run that goes on is not plain data.
    """
    # Before a checkpoint is loaded, which would round its float64 weights.
    trainer.precision_plugin.convert_module(module)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume_from, weights_only=True)
    except SIGTERMException:
        raise SystemExit(128 + signal.SIGTERM) from None
    except MisconfigurationException as error:  # some of it is looked at only when training starts
        raise refused(error) from None
    except ModuleNotFoundError as error:  # so are the packages of some callbacks
        raise ToolError(" ".join(str(error).split())) from None
    except pickle.UnpicklingError as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{resume_from}: holds more than plain data, mostly the state of a callback of `callbacks`; this run "
            f"cannot go on ({reason[:200]})"
        ) from None
    except SystemExit:  # Lightning's way out after Ctrl-C
        if not was_interrupted(trainer):
            raise
        raise KeyboardInterrupt from None
