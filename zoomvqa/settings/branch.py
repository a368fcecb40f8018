"""Settings of the IQA branch; the defaults are the numbers of the Zoom-VQA release (arXiv 2304.06440)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, ValidationInfo, field_validator

from zoomvqa.settings.base import Settings

Fraction01 = Annotated[float, Field(ge=0.0, le=1.0)]
Rgb = tuple[float, float, float]


class FrameSampling(Settings):
    """Which frames of a video are looked at."""

    rate: PositiveFloat = 2.0


class FrameView(Settings):
    """What the network sees of a frame."""

    resize: PositiveInt = 512
    crop: PositiveInt = 320
    flip: Fraction01 = 0.5
    test_crops: PositiveInt = 1
    mean: Rgb = (0.485, 0.456, 0.406)
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (0.229, 0.224, 0.225)

    @field_validator("crop")
    @classmethod
    def _crop_fits(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("resize", value):
            raise ValueError(f"at most resize, which is {info.data['resize']}")
        return value


class IQANetwork(Settings):
    """The network of the IQA branch."""

    backbone: str = "convnext_tiny"
    weights: Literal["imagenet", "package", "none"] = "imagenet"
    drop_path: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    hidden: PositiveInt = 384
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1


class LossSettings(Settings):
    """The training loss; see `zoomvqa.losses`."""

    name: Literal["smooth_l1", "l1", "mse", "plcc", "rank", "plcc_rank", "norm_in_norm"] = "smooth_l1"
    rank_weight: Annotated[float, Field(ge=0.0)] = 0.3
    soft_srcc_weight: Annotated[float, Field(ge=0.0)] = 0.0
    norm_p: PositiveFloat = 2.0
    norm_q: PositiveFloat = 2.0


class Mixing(Settings):
    """Mixing pairs of training samples; a Beta parameter of 0 switches one off."""

    mixup: Annotated[float, Field(ge=0.0)] = 0.0
    cutmix: Annotated[float, Field(ge=0.0)] = 0.0


class Optimiser(Settings):
    """AdamW with a smaller step for the backbone, and a cosine to 0 stepped every iteration."""

    lr: PositiveFloat = 4e-4
    weight_decay: Annotated[float, Field(ge=0.0)] = 1e-2
    betas: tuple[Fraction01, Fraction01] = (0.9, 0.999)
    backbone_lr_factor: Annotated[float, Field(ge=0.0)] = 0.2
    warmup_epochs: Annotated[float, Field(ge=0.0)] = 0.0
    ema_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None


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
    optimiser: Optimiser = Optimiser()
    loading: FrameLoading = FrameLoading()
