"""Puts a training run together: one branch, or the fusion of several."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import lightning
import torch

from zoomvqa.checkpoints import describe
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.errors import SettingsError
from zoomvqa.files import whole_file
from zoomvqa.processes import is_first_process
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.training.build import build_branch
from zoomvqa.training.fitting import Trained, fit
from zoomvqa.training.folds import folds_of, score_folds
from zoomvqa.training.fusion import fuse
from zoomvqa.training.head_start import start_head


def train(settings: TrainSettings, labelled: LabelledSet, resume_from: Path | None = None) -> Trained:
    """Train a branch, or fuse several.

    Args:
        settings: of the whole run; everything is written under `settings.output`.
        labelled: the set to train on.
        resume_from: the checkpoint of a stopped run to go on from.

    Raises:
        UserError: the settings do not fit the data or this machine; or the best weights predict the same of every
            validation video.
    """
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    trained = _train(settings, labelled, resume_from)
    figures = trained.figures
    if is_first_process():
        values = figures._asdict() | {"selection": figures.selection}
        told: dict[str, Any] = {k: v if math.isfinite(v) else None for k, v in values.items()}
        told |= {"unit": "mos" if trained.unit.known else "none", "mos_range": trained.unit.scale}
        told |= {} if trained.unit.known else {"rmse": None}  # of scores without a unit it means nothing
        told |= {"note": figures.undefined} if figures.undefined else {}
        with whole_file(Path(settings.output) / "figures.json") as handle:
            json.dump(told | labelled.split_facts, handle)
    return trained


def _train(settings: TrainSettings, labelled: LabelledSet, resume_from: Path | None) -> Trained:
    if isinstance(settings.branch, FusionBranch):
        if settings.calibration_folds:
            raise SettingsError(
                f"calibration_folds: got {settings.calibration_folds} with branch=fusion, expected 0: folds are "
                "of the branches' own runs; branch.split=folds takes them"
            )
        return fuse(settings, settings.branch, labelled, resume_from)
    folds_of(settings, labelled)  # too many are told now, not after the training
    config = settings.model_dump(mode="json")
    description = describe(settings.branch, labelled.mos_range, labelled.name, config, labelled.split_facts)
    built = build_branch(settings, settings.branch, labelled, description)
    if resume_from is None:
        start_head(built, settings.weights.head, settings.trainer.accelerator)
    trained = fit(settings, built.module, built.data, settings.branch.network.label, resume_from=resume_from)
    if settings.calibration_folds:
        score_folds(settings, settings.branch, labelled)
    return trained
