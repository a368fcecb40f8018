"""The loggers of a run, each told what the run is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from PIL import Image

from zoomvqa.calibration import Unit
from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.metrics import Figures
from zoomvqa.processes import is_first_process
from zoomvqa.settings.targets import TARGET
from zoomvqa.training.figures_file import KeptCSVLogger
from zoomvqa.training.made import make_logger

# What TensorBoard's table of hyperparameters shows beside them: figures of the best validation.
_BEST = ("selection", "srcc", "plcc", "rmse")


def build_loggers(
    output: Path, chosen: Mapping[Any, dict[str, Any]], about: dict[str, Any], *, goes_on: bool = False
) -> list[Logger]:
    """Return the loggers that the settings name.

    Args:
        output: the run's folder.
        chosen: options of each: csv, tensorboard, wandb, and others that name a class by `_target_`.
        about: the composed config and the versions; all but csv show them beside the figures.
        goes_on: the run was stopped before; what it has logged is kept.

    Raises:
        UserError: an option is unknown, a package is missing, or a logger cannot reach what it logs to.
    """
    loggers: list[Logger] = []
    for name, options in chosen.items():
        try:
            loggers.append(_build(name, options, output, about, goes_on=goes_on))
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


def _build(name: str, options: dict[str, Any], output: Path, about: dict[str, Any], *, goes_on: bool) -> Logger:
    if TARGET in options:
        return _named(name, options, about, goes_on=goes_on)
    if name == "csv":
        return (KeptCSVLogger if goes_on else CSVLogger)(output, name="", version="", **options)
    if name == "tensorboard":
        to_tensorboard = TensorBoardLogger(output, name="", version="tensorboard", **options)
        if not goes_on:
            # Their table has columns for the figures that are announced with them; values follow.
            to_tensorboard.log_hyperparams(about, {f"best/{name}": math.nan for name in _BEST})
        return to_tensorboard
    to_wandb = WandbLogger(save_dir=output, config=about, **options)
    if is_first_process():
        _ = to_wandb.experiment  # asks for the account now, not in the middle of the start
    return to_wandb


def _named(name: str, options: dict[str, Any], about: dict[str, Any], *, goes_on: bool) -> Logger:
    """Return a logger of the user's, told what the run is made of."""
    logger = make_logger(name, options)
    if not goes_on:  # it has been told before, and some loggers refuse to be told otherwise
        try:
            logger.log_hyperparams(about)
        except Exception as error:  # noqa: BLE001  whatever its server or package ends in
            reason = " ".join(str(error).split()) or type(error).__name__
            raise SettingsError(f"logger.{name}: {reason}") from None
    return logger


def log_best(trainer: lightning.Trainer, figures: Figures, unit: Unit) -> None:
    """Give the figures of the best validation so far to the loggers that compare runs by them."""
    names = [name for name in _BEST if unit.known or name != "rmse"]
    values = {f"best/{name}": float(getattr(figures, name)) for name in names}
    values = {name: value for name, value in values.items() if math.isfinite(value)}
    for logger in trainer.loggers:
        if not isinstance(logger, CSVLogger):  # its table has a row a step
            logger.log_metrics(values, trainer.global_step)


def show_picture(trainer: lightning.Trainer, name: str, path: Path) -> None:
    """Give a picture file to the loggers that show pictures."""
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            logger.experiment.add_image(name, pixels, trainer.global_step, dataformats="HWC")
        elif isinstance(logger, WandbLogger):
            logger.log_image(name, [str(path)])
