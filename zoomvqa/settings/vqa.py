"""Settings of the VQA branch; the defaults are the numbers of the Zoom-VQA release (arXiv 2304.06440)."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import Settings
from zoomvqa.settings.shared import Below1, LossSettings, Optimiser, Rgb, Spread

# All clips of a video are in memory at once: 11 MB each at 32 frames of 336 × 336.
MOST_PARTS = 100
VQABackbone = Literal[
    "swin_tiny", "swin_small", "swin_window4", "fast_vqa_m", "swin_nano", "convnext3d_tiny", "convnext3d_small"
]
ClipCount = Annotated[int, Field(ge=1, le=MOST_PARTS)]


class ClipSampling(Settings):
    """Which frames of a video are looked at: clips of evenly spaced frames."""

    clip_len: PositiveInt = 32
    frame_interval: PositiveInt = 2
    train_clips: ClipCount = 1
    test_clips: ClipCount = 4


class ClipView(Settings):
    """What the network sees of a clip's frames: a square picture of `grid` · `side` pixels."""

    kind: Literal["fragments", "crop", "whole"] = "fragments"
    resize: Annotated[int, Field(ge=-1)] = 480
    grid: PositiveInt = 7
    side: PositiveInt = 48
    mean: Rgb = (123.675, 116.28, 103.53)
    std: Spread = (58.395, 57.12, 57.375)

    @field_validator("resize")
    @classmethod
    def _not_nothing(cls, value: int) -> int:
        if value == 0:
            raise ValueError("a short side in pixels, or -1 for no resize")
        return value

    @property
    def size(self) -> int:
        """Side of the picture that the network sees, pixels."""
        return self.grid * self.side


class VQANetwork(Settings):
    """The network of the VQA branch."""

    backbone: VQABackbone = "swin_tiny"
    patch: PositiveInt = 6
    gated: bool = True
    drop_path: Below1 = 0.1
    hidden: PositiveInt = 64
    dropout: Below1 = 0.5
    recompute: bool = False


class ClipLoading(Settings):
    """How clips reach the network."""

    batch_size: PositiveInt = 16
    workers: NonNegativeInt = 2
    variants: NonNegativeInt = 0
    cache_folder: str | None = None
    cache_limit_gb: PositiveFloat = 50.0


class VQABranch(Settings):
    """Everything about the VQA branch."""

    name: Literal["vqa"] = "vqa"
    sampling: ClipSampling = ClipSampling()
    view: ClipView = ClipView()
    network: VQANetwork = VQANetwork()
    loss: LossSettings = LossSettings(name="plcc_rank")
    optimiser: Optimiser = Optimiser(lr=1e-3, backbone_lr_factor=0.1, warmup_epochs=2.5, ema_decay=0.999)
    loading: ClipLoading = ClipLoading()

    @model_validator(mode="after")
    def _patches_fit(self) -> VQABranch:
        """Refuse pictures that patches do not fill: the border would be padding, patches would span two fragments.

        Raises:
            SettingsError: they do not.
        """
        view, patch = self.view, self.network.patch
        if view.size < 8 * patch:  # too small in any case; the network says so
            return self
        times = 1 if view.kind == "fragments" else view.grid
        if view.side * times % patch == 0:
            return self
        step = patch // math.gcd(patch, times)
        near = max(step, round(view.side / step) * step)
        raise SettingsError(
            f"branch.view.side: got {view.side}, expected a multiple of {step}, which patches of "
            f"branch.network.patch={patch} fill without a rest; the nearest is {near}"
        )
