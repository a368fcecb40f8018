"""Puts a training run together: data, module, callbacks, loggers, trainer."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from zoomvqa.checkpoints import describe
from zoomvqa.console import say
from zoomvqa.data.frame_datamodule import FrameDataModule
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.metrics import Figures
from zoomvqa.models.iqa.module import IQAModule
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.settings.commands import TrainerSettings, TrainSettings
from zoomvqa.training.report import ValidationReport


def train(settings: TrainSettings, labelled: LabelledSet) -> Figures:
    """Train a branch and return the figures of its best validation.

    Args:
        settings: of the whole run; everything is written under `settings.output`.
        labelled: the set to train on.

    Raises:
        UserError: the settings do not fit the data or this machine.
    """
    output = Path(settings.output)
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    branch = settings.branch
    data = FrameDataModule(
        labelled, branch.sampling, branch.view, branch.loading, settings.data.reader, settings.seed
    )
    config = settings.model_dump(mode="json")
    description = describe(branch, labelled.mos_range, labelled.name, config)
    net = build_iqa_net(branch.network, branch.view.crop)
    module = IQAModule(net, branch.loss, branch.mixing, branch.optimiser, description)
    callbacks = _callbacks(output, settings, data)
    trainer = _trainer(settings.trainer, _loggers(settings, config), callbacks, output)
    size = sum(p.numel() for p in net.parameters()) / 1e6
    say(
        f"Training {branch.network.backbone} ({size:.2f} M parameters) on {len(data.train_videos)} videos "
        f"of '{labelled.name}', validating on {len(data.val_videos)}"
    )
    trainer.fit(module, datamodule=data)
    return _best_figures(callbacks, module)


def _callbacks(output: Path, settings: TrainSettings, data: FrameDataModule) -> list[Callback]:
    folder = output / "checkpoints"
    shared: dict[str, Any] = {"dirpath": folder, "save_top_k": 1, "enable_version_counter": False}
    # Without the optimiser's state the best checkpoint is a third of the size. With averaging it must be saved
    # whole: Lightning puts the average, which is what was validated, into whole checkpoints only.
    small = settings.branch.optimiser.ema_decay is None
    found: list[Callback] = [
        ModelCheckpoint(filename="best", monitor="val/selection", mode="max", save_weights_only=small, **shared),
        ModelCheckpoint(filename="last", **shared),
        ValidationReport(output, data.val_videos),
        RichProgressBar(),
    ]
    if settings.logger:
        found.append(LearningRateMonitor("step"))
    if settings.branch.optimiser.ema_decay is not None:
        found.append(EMAWeightAveraging(decay=settings.branch.optimiser.ema_decay))
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
                loggers.append(WandbLogger(save_dir=output, config=config, **options))
        except TypeError as error:
            raise SettingsError(f"logger.{name}: {error}") from None
        except ModuleNotFoundError as error:
            raise ToolError(f"logger={name}: {error}") from None
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


def _best_figures(callbacks: list[Callback], module: IQAModule) -> Figures:
    """Return the figures that the best checkpoint was saved at, on every process."""
    best = next(c for c in callbacks if isinstance(c, ModelCheckpoint))
    if not best.best_model_path:
        raise SettingsError("trainer: no validation was run, so there is no best checkpoint")
    saved = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["zoomvqa"]["figures"]
    say(f"Best checkpoint: {best.best_model_path}")
    del module
    return Figures(**saved)
