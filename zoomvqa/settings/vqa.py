"""Settings of the VQA branch; the defaults are the numbers of the Zoom-VQA release (arXiv 2304.06440)."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator

from zoomvqa.errors import SettingsError
from zoomvqa.settings.branch import BranchSettings, NetworkSettings, SamplingSettings, VideoLoading, ViewSettings
from zoomvqa.settings.loss import PlccRankLoss
from zoomvqa.settings.shared import Below1, Optimiser, Rgb, Spread

# All clips of a video are in memory at once: 11 MB each at 32 frames of 336 × 336.
MOST_PARTS = 100
VQABackbone = Literal[
    "swin_tiny", "swin_small", "swin_window4", "fast_vqa_m", "swin_nano", "convnext3d_tiny", "convnext3d_small"
]
ClipCount = Annotated[int, Field(ge=1, le=MOST_PARTS)]


class ClipSampling(SamplingSettings):
    """Clips of evenly spaced frames."""

    kind: Literal["clips"] = "clips"
    clip_len: PositiveInt = 32
    frame_interval: PositiveInt = 2
    train_clips: ClipCount = 1
    test_clips: ClipCount = 4


class ClipView(ViewSettings):
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


class VQANetwork(NetworkSettings):
    """A video backbone and FAST-VQA's head."""

    own_weights = frozenset({"imagenet"})

    kind: Literal["video"] = "video"
    backbone: VQABackbone = "swin_tiny"
    patch: PositiveInt = 6
    gated: bool = True
    drop_path: Below1 = 0.1
    hidden: PositiveInt = 64
    dropout: Below1 = 0.5
    recompute: bool = False

    @property
    def label(self) -> str:
        """The backbone."""
        return self.backbone

    def check_look(self, sampling: SamplingSettings, view: ViewSettings) -> None:
        """Refuse what is no clips, and pictures that patches do not fill.

        Their border would be padding, and patches would span two fragments.

        Raises:
            SettingsError: of either.
        """
        if not isinstance(sampling, ClipSampling):
            raise SettingsError(
                f"branch.sampling.kind: got {sampling.kind!r}, expected 'clips' with branch.network.kind=video"
            )
        if not isinstance(view, ClipView):
            raise SettingsError(
                f"branch.view.kind: got {view.kind!r}, expected fragments, crop or whole with "
                "branch.network.kind=video"
            )
        self._check_patches(view)

    def _check_patches(self, view: ClipView) -> None:
        patch = self.patch
        if view.size < 8 * patch:  # too small in any case; the network says so
            return
        times = 1 if view.kind == "fragments" else view.grid
        if view.side * times % patch == 0:
            return
        step = patch // math.gcd(patch, times)
        near = max(step, round(view.side / step) * step)
        raise SettingsError(
            f"branch.view.side: got {view.side}, expected a multiple of {step}, which patches of "
            f"branch.network.patch={patch} fill without a rest; the nearest is {near}"
        )


def vqa_branch(**changed: Any) -> BranchSettings:
    """Return the settings of the VQA branch.

    Args:
        changed: what is not as in the release: any field of `BranchSettings`.
    """
    usual: dict[str, Any] = {
        "name": "vqa",
        "sampling": ClipSampling(),
        "view": ClipView(),
        "network": VQANetwork(),
        "loss": PlccRankLoss(),
        "optimiser": Optimiser(lr=1e-3, backbone_lr_factor=0.1, warmup_epochs=2.5, ema_decay=0.999),
        "loading": VideoLoading(),
    }
    return BranchSettings(**(usual | changed))
