"""Settings of the IQA branch; the defaults are the numbers of the Zoom-VQA release (arXiv 2304.06440)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, ValidationInfo, field_validator

from zoomvqa.settings.base import Settings
from zoomvqa.settings.shared import Below1, Fraction01, LossSettings, Optimiser, Rgb, Spread


class FrameSampling(Settings):
    """Which frames of a video are looked at."""

    rate: PositiveFloat = 2.0


def within_resize(crop: int, info: ValidationInfo) -> int:
    """Refuse a crop that is larger than the short side of what it is cut from."""
    if crop > info.data.get("resize", crop):
        raise ValueError(f"at most resize, which is {info.data['resize']}")
    return crop


class FrameView(Settings):
    """What the network sees of a frame."""

    resize: PositiveInt = 512
    crop: PositiveInt = 320
    flip: Fraction01 = 0.5
    test_crops: PositiveInt = 1
    mean: Rgb = (0.485, 0.456, 0.406)
    std: Spread = (0.229, 0.224, 0.225)

    _crop_fits = field_validator("crop")(within_resize)


class IQANetwork(Settings):
    """The network of the IQA branch."""

    backbone: str = "convnext_tiny.fb_in1k"
    drop_path: Below1 = 0.1
    hidden: PositiveInt = 384
    dropout: Below1 = 0.1


class Mixing(Settings):
    """Mixing pairs of training samples; a Beta parameter of 0 switches one off."""

    mixup: Annotated[float, Field(ge=0.0)] = 0.0
    cutmix: Annotated[float, Field(ge=0.0)] = 0.0


class FrameLoading(Settings):
    """How frames reach the network: batches, workers and the cache on disk."""

    batch_size: PositiveInt = 32
    workers: Annotated[int, Field(ge=0)] = 2
    cache: bool = True
    cache_folder: str | None = None
    cache_limit_gb: PositiveFloat = 50.0


class IQABranch(Settings):
    """Everything about the IQA branch."""

    name: Literal["iqa"] = "iqa"
    sampling: FrameSampling = FrameSampling()
    view: FrameView = FrameView()
    network: IQANetwork = IQANetwork()
    loss: LossSettings = LossSettings()
    mixing: Mixing = Mixing()
    optimiser: Optimiser = Optimiser(ema_ramp=True)
    loading: FrameLoading = FrameLoading()
