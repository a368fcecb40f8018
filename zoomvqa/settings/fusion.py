"""Settings of the fusion: how trained branches become one score."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from typing_extensions import Self

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import Settings
from zoomvqa.settings.loss import AnyLoss, PlainLoss
from zoomvqa.settings.shared import Fraction01, Optimiser


class FusionLoading(Settings):
    """How videos reach the networks while they are fine-tuned."""

    batch_size: PositiveInt = 8
    workers: NonNegativeInt = 2
    frames: PositiveInt = 4


class FusionBranch(Settings):
    """Everything about the fusion."""

    name: Literal["fusion"] = "fusion"
    split: Literal["train", "val", "folds"] = "val"
    weights: Literal["equal", "fit"] | dict[str, Annotated[float, Field(ge=0.0)]] = "equal"
    share: Fraction01 | Literal["fit"] | None = None
    finetune: bool = False
    loss: AnyLoss = PlainLoss()
    optimiser: Optimiser = Optimiser(lr=1e-4, backbone_lr_factor=0.1)
    loading: FusionLoading = FusionLoading()

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        """Refuse `share` beside `weights`.

        Raises:
            SettingsError: both are given.
        """
        if self.share is not None and self.weights != "equal":
            raise SettingsError("branch.share: got a value beside branch.weights; give one of them")
        return self
