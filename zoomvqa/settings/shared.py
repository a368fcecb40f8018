"""Settings that the branches share: the loss, the optimiser, and types of values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from zoomvqa.settings.base import Settings

Fraction01 = Annotated[float, Field(ge=0.0, le=1.0)]
Below1 = Annotated[float, Field(ge=0.0, lt=1.0)]
Rgb = tuple[float, float, float]
Spread = tuple[PositiveFloat, PositiveFloat, PositiveFloat]


class StartingWeights(Settings):
    """Weights that training starts from; see `zoomvqa.checkpoints.start`."""

    source: str = "none"
    strict: bool = True
    published: str | None = None
    fragment_bias: Literal["copy", "zero"] = "copy"
    head: Literal["random", "mean", "fitted"] = "fitted"


class Optimiser(Settings):
    """AdamW with a smaller step for the backbone, and a cosine to 0 stepped every iteration."""

    lr: PositiveFloat = 4e-4
    weight_decay: Annotated[float, Field(ge=0.0)] = 1e-2
    betas: tuple[Fraction01, Fraction01] = (0.9, 0.999)
    backbone_lr_factor: Annotated[float, Field(ge=0.0)] = 0.2
    warmup_epochs: Annotated[float, Field(ge=0.0)] = 0.0
    ema_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    ema_ramp: bool = False
