"""One run of Lightning's Trainer: callbacks, loggers, and the folder that everything is written to."""

from __future__ import annotations

import logging
import shutil
import signal
import warnings
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import (
    Callback,
    LearningRateMonitor,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException
from omegaconf import OmegaConf

from zoomvqa.console import say
from zoomvqa.data.branch_datamodule import BranchDataModule
from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.files import whole_file
from zoomvqa.metrics import Figures
from zoomvqa.processes import is_first_process
from zoomvqa.settings.commands import TrainerSettings, TrainSettings
from zoomvqa.training.branch_module import BranchModule
from zoomvqa.training.failures import FailedVideos
from zoomvqa.training.report import ValidationReport
from zoomvqa.training.resume import SaveAndStop, StepSeeds


def fit(
    settings: TrainSettings,
    module: BranchModule,
    data: BranchDataModule,
    name: str,
    *,
    fresh: bool = True,
    resume_from: Path | None = None,
) -> Figures:
    """Train a module and return the figures of its best validation.

    Args:
        settings: of the whole run; everything is written under `settings.output`.
        module: what is trained.
        data: what it is trained on.
        name: of the network, for the user.
        fresh: make the run's folder when training starts; otherwise it is made already.
        resume_from: the checkpoint of a stopped run to go on from; its folder is kept.

    Raises:
        UserError: the settings do not fit the data or this machine.
    """
    output, config = Path(settings.output), settings.model_dump(mode="json")
    callbacks = _callbacks(output, settings, data)
    if fresh and resume_from is None:
        callbacks.insert(0, _StartOfRun(output, config))
    trainer = _trainer(settings.trainer, _loggers(settings, config), callbacks, output)
    size = sum(p.numel() for p in module.net.parameters()) / 1e6
    say(
        f"Training {name} ({size:.2f} M parameters) on {len(data.train_videos)} videos of "
        f"'{settings.data.name}', validating on {len(data.val_videos)}"
    )
    if resume_from is not None:
        say(f"Going on from {resume_from}")
    _fit(trainer, module, data, resume_from, uses_wandb="wandb" in settings.logger)
    report = next(c for c in callbacks if isinstance(c, ValidationReport))
    if report.figures is None:
        raise SettingsError("trainer: no validation was run, so there is no best checkpoint")
    say(f"Best checkpoint: {output / 'checkpoints' / 'best.ckpt'}")
    say(f"Validation: {report.figures.told}")
    return report.figures


def start_folder(output: Path, config: dict[str, Any]) -> None:
    """Make a run's folder, replacing an older run's checkpoints, and write its config."""
    shutil.rmtree(output / "checkpoints", ignore_errors=True)
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
    trainer: lightning.Trainer,
    module: BranchModule,
    data: BranchDataModule,
    resume_from: Path | None,
    *,
    uses_wandb: bool,
) -> None:
    """Train; an interruption comes out as KeyboardInterrupt, and a wandb run is closed before the next one."""
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume_from, weights_only=True)
    except SIGTERMException:
        raise SystemExit(128 + signal.SIGTERM) from None
    except SystemExit:  # Lightning's way out after Ctrl-C
        if not trainer.interrupted:
            raise
        raise KeyboardInterrupt from None
    finally:
        if uses_wandb:
            import wandb  # noqa: PLC0415  only where it is used

            wandb.finish()


def _callbacks(output: Path, settings: TrainSettings, data: BranchDataModule) -> list[Callback]:
    folder = output / "checkpoints"
    shared: dict[str, Any] = {"dirpath": folder, "save_top_k": 1, "enable_version_counter": False}
    found: list[Callback] = [
        ModelCheckpoint(filename="best", monitor="val/selection", mode="max", save_weights_only=True, **shared),
        ModelCheckpoint(filename="last", **shared),
        ValidationReport(output, data.val_videos),
        StepSeeds(settings.seed),
        FailedVideos(settings.data.max_failures),
        SaveAndStop(output),
        RichProgressBar(),
    ]
    if settings.logger:
        found.append(LearningRateMonitor("step"))
    return found


def _loggers(settings: TrainSettings, config: dict[str, Any]) -> list[Logger]:
    output = Path(settings.output)
    loggers: list[Logger] = []
    for name, options in settings.logger.items():
        try:
            if name == "csv":
                loggers.append(CSVLogger(output, name="", version="", **options))
            elif name == "tensorboard":
                loggers.append(TensorBoardLogger(output, name="", version="tensorboard", **options))
            else:
                to_wandb = WandbLogger(save_dir=output, config=config, **options)
                if is_first_process():
                    _ = to_wandb.experiment  # asks for the account now, not in the middle of the start
                loggers.append(to_wandb)
        except TypeError as error:
            raise SettingsError(f"logger.{name}: {error}") from None
        except ModuleNotFoundError as error:
            raise ToolError(f"logger={name}: {error}") from None
        except Exception as error:
            if type(error).__module__.split(".")[0] != "wandb":
                raise
            reason = " ".join(str(error).split())
            raise SettingsError(
                f"logger.wandb: {reason}; without an account use logger.wandb.offline=true"
            ) from None
    return loggers


def _trainer(
    settings: TrainerSettings, loggers: list[Logger], callbacks: list[Callback], output: Path
) -> lightning.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    # Lightning's advice on worker counts and its notes on tensor cores are not for the user to act on here.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*Experiment logs directory.*")
    warnings.filterwarnings("ignore", message=".*The number of training batches.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*sync_dist=True.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory.*")
    try:
        return lightning.Trainer(
            **settings.model_dump(),
            logger=loggers or False,
            callbacks=callbacks,
            default_root_dir=output,
            use_distributed_sampler=False,  # the datamodule shares the data out itself
            num_sanity_val_steps=0,
            enable_model_summary=False,
        )
    except (lightning.fabric.utilities.exceptions.MisconfigurationException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"trainer: {reason}") from None
