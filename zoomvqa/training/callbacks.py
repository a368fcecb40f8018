"""The callbacks of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
    ProgressBar,
    RichProgressBar,
)

from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.settings.commands import TrainerSettings, TrainSettings
from zoomvqa.training.averaging import BestEpochs
from zoomvqa.training.failures import FailedVideos
from zoomvqa.training.figures_file import FlushFigures
from zoomvqa.training.made import make_callbacks
from zoomvqa.training.report import ValidationReport
from zoomvqa.training.resume import SaveAndStop, StepSeeds
from zoomvqa.training.step_times import StepTimes
from zoomvqa.training.train_figures import TrainFigures


class StopEarly(EarlyStopping):
    """Ends a run that has stopped getting better; one that ended so, and is started again, stays ended."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Stop at once where the checkpoint that training goes on from was the end."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True


def build_callbacks(output: Path, settings: TrainSettings, data: VideoDataModule) -> list[Callback]:
    """Return what happens at the edges of steps and epochs, in this order; what the settings name comes last.

    Args:
        output: the run's folder.
        settings: of the whole run.
        data: whose validation videos the report names.

    Raises:
        UserError: a callback that the settings name cannot be made, or is none.
    """
    further = make_callbacks(settings.callbacks)
    folder = output / "checkpoints"
    # The last one is kept after every epoch, also where only some of them are validated.
    every_epoch = True if settings.trainer.check_val_every_n_epoch else None
    by_figures: dict[str, Any] = {"monitor": "val/selection", "mode": "max"}
    shared: dict[str, Any] = {"dirpath": folder, "save_top_k": 1, "enable_version_counter": False}
    found: list[Callback] = [
        StepTimes(),
        ModelCheckpoint(filename="best", save_weights_only=True, **by_figures, **shared),
        ModelCheckpoint(filename="last", save_on_train_epoch_end=every_epoch, **shared),
        ValidationReport(output, data.val_videos),
        StepSeeds(settings.seed),
        FailedVideos(settings.data.max_failures),
        SaveAndStop(output),
    ]
    if _wants_bar(settings.trainer) and not any(isinstance(callback, ProgressBar) for callback in further):
        found.append(RichProgressBar())
    if settings.keep.top_k > 1:
        found.append(BestEpochs(folder, settings.keep.top_k))
    patience = settings.early_stopping.patience
    if patience:
        found.append(StopEarly(patience=patience, min_delta=settings.early_stopping.min_delta, **by_figures))
    if settings.logger:
        found += [LearningRateMonitor("step"), TrainFigures(), FlushFigures()]
    return found + further


def _wants_bar(settings: TrainerSettings) -> bool:
    """Tell whether progress is shown; Lightning takes no bar beside `enable_progress_bar=False`."""
    return settings.model_dump().get("enable_progress_bar") is not False
