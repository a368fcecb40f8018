"""The VQA network that the settings describe."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from zoomvqa.console import say
from zoomvqa.errors import SettingsError
from zoomvqa.models.vqa.convnext3d import WEIGHTS_TAG, convnext3d
from zoomvqa.models.vqa.dct import start_from_dct
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.models.vqa.swin import VideoSwin
from zoomvqa.models.vqa.windows import scaled_window
from zoomvqa.settings.vqa import VQANetwork

_SWIN: dict[str, dict[str, Any]] = {
    "swin_tiny": {},
    "swin_small": {"depths": (2, 2, 18, 2)},
    "swin_window4": {"window": (4, 4, 4)},  # shrinks them for FAST-VQA-M's clips
    "fast_vqa_m": {"window": (4, 4, 4)},  # does not; the public weights have no gating
    "swin_nano": {"channels": 32, "depths": (2, 2), "heads": (2, 4), "window": (2, 4, 4)},
}
_CONVNEXT = {"convnext3d_tiny": "convnext_tiny", "convnext3d_small": "convnext_small"}
# What windows are made for where that is not `VideoSwin`'s own: frames of a clip, and patches along its side.
_BASES = {"fast_vqa_m": (16, 32), "swin_nano": (4, 16)}
Weights = Literal["imagenet", "none"]


def build(settings: VQANetwork, example: Tensor, weights: str | None = None) -> VQANet:
    """Return the network for clips of the size of `example`; one that starts from ImageNet weights says which.

    Args:
        settings: the network.
        example: (1, 3, frames, size, size).
        weights: `imagenet` (a 2-D ConvNeXt's, inflated), `none`, or None where a file brings all of them.

    Raises:
        SettingsError, ToolError: see `build_vqa_net`.
    """
    imagenet = weights == "imagenet"
    net = build_vqa_net(settings, example.shape[2], example.shape[-1], "imagenet" if imagenet else "none")
    if imagenet:
        say(f"Starting from ImageNet weights {WEIGHTS_TAG} for {settings.backbone}, inflated")
    return net


def build_vqa_net(settings: VQANetwork, frames: int, size: int, weights: Weights = "none") -> VQANet:
    """Return the network that `settings` describe.

    Args:
        settings: the network.
        frames: of a clip.
        size: side of its pictures, pixels.
        weights: `imagenet` or `none`; those of a file are not its business, see `zoomvqa.checkpoints.start`.

    Raises:
        SettingsError: the clip is too small for the network, or it has no such weights.
        ToolError: the weights cannot be downloaded.
    """
    backbone = _backbone(settings, frames, size, pretrained=weights == "imagenet")
    return VQANet(backbone, settings.hidden, settings.dropout)


def _backbone(settings: VQANetwork, frames: int, size: int, *, pretrained: bool) -> nn.Module:
    patch = settings.patch
    if size < 8 * patch:
        raise SettingsError(
            f"branch.view: pictures of {size} pixels (grid · side) are too small for patches of {patch}: at "
            f"least {8 * patch}"
        )
    if settings.backbone in _CONVNEXT:
        return convnext3d(_CONVNEXT[settings.backbone], patch, settings.drop_path, pretrained=pretrained)
    if pretrained:
        raise SettingsError(
            "weights: got 'imagenet', expected none, a name or a file: only the convnext3d backbones have those"
        )
    made_for = _BASES.get(settings.backbone)
    backbone = VideoSwin(
        patch=(2, patch, patch),
        base=None if made_for is None else (made_for[0], made_for[1] * patch, made_for[1] * patch),
        gated=settings.gated,
        drop_path=settings.drop_path,
        recompute=settings.recompute,
        **_SWIN[settings.backbone],
    )
    try:
        scaled_window(backbone.window, (frames, size, size), backbone.base)
    except ValueError as error:
        enough = backbone.window[0] * frames >= backbone.base[0]
        raise SettingsError(f"{'branch.view' if enough else 'branch.sampling.clip_len'}: {error}") from None
    if settings.backbone == "swin_nano":  # the one that is trained from nothing
        start_from_dct(backbone.patch_embed.proj)
    return backbone
