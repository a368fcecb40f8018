"""Settings of the fusion: how two trained branches become one score."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from zoomvqa.settings.base import Settings
from zoomvqa.settings.shared import Fraction01, LossSettings, Optimiser


class PairLoading(Settings):
    """How videos reach both networks while they are fine-tuned."""

    batch_size: PositiveInt = 8
    workers: NonNegativeInt = 2
    frames: PositiveInt = 4


class FusionBranch(Settings):
    """Everything about the fusion."""

    name: Literal["fusion"] = "fusion"
    split: Literal["train", "val", "folds"] = "val"
    share: Fraction01 | Literal["fit"] = 0.5
    finetune: bool = False
    loss: LossSettings = LossSettings()
    optimiser: Optimiser = Optimiser(lr=1e-4, backbone_lr_factor=0.1)
    loading: PairLoading = PairLoading()
