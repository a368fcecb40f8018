"""The kinds of samplings, views, networks and losses that the package brings; see `zoomvqa.settings.registry`.

What a builder needs is imported when something is built: settings are checked without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.loss import AgreementLoss, NormInNormLoss, PlainLoss, PlccRankLoss
from zoomvqa.settings.registry import LOSSES, NETWORKS, SAMPLINGS, VIEWS
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork

if TYPE_CHECKING:
    from torch import Tensor

    from zoomvqa.losses import Loss
    from zoomvqa.models.base import BranchNet
    from zoomvqa.views.base import Sampling, View


@SAMPLINGS.register("frame_rate", FrameSampling)
def frame_rate(settings: FrameSampling) -> Sampling:
    """Return single frames at a rate."""
    from zoomvqa.views.samplings import FrameRate  # noqa: PLC0415

    return FrameRate(settings)


@SAMPLINGS.register("clips", ClipSampling)
def clips(settings: ClipSampling) -> Sampling:
    """Return clips of evenly spaced frames."""
    from zoomvqa.views.samplings import Clips  # noqa: PLC0415

    return Clips(settings)


@VIEWS.register("frame_crops", FrameView)
def frame_crops(settings: FrameView) -> View:
    """Return square crops of a resized frame."""
    from zoomvqa.views.crops import FrameCrops  # noqa: PLC0415

    return FrameCrops(settings)


@VIEWS.register("whole", ClipView)
@VIEWS.register("crop", ClipView)
@VIEWS.register("fragments", ClipView)
def clip_pictures(settings: ClipView) -> View:
    """Return fragments of a frame, one piece of it, or the whole of it, as a square picture."""
    from zoomvqa.views.fragments import ClipPictures  # noqa: PLC0415

    return ClipPictures(settings)


@LOSSES.register("mse", PlainLoss)
@LOSSES.register("l1", PlainLoss)
@LOSSES.register("smooth_l1", PlainLoss)
def plain_loss(settings: PlainLoss) -> Loss:
    """Return a mean over samples."""
    from zoomvqa.losses import plain  # noqa: PLC0415

    return plain(settings)


@LOSSES.register("rank", AgreementLoss)
@LOSSES.register("plcc", AgreementLoss)
def agreement_loss(settings: AgreementLoss) -> Loss:
    """Return the PLCC loss or the rank loss."""
    from zoomvqa.losses import agreement  # noqa: PLC0415

    return agreement(settings)


@LOSSES.register("plcc_rank", PlccRankLoss)
def plcc_rank_loss(settings: PlccRankLoss) -> Loss:
    """Return the PLCC loss and so much of the rank loss."""
    from zoomvqa.losses import plcc_rank  # noqa: PLC0415

    return plcc_rank(settings)


@LOSSES.register("norm_in_norm", NormInNormLoss)
def norm_in_norm_loss(settings: NormInNormLoss) -> Loss:
    """Return the norm-in-norm loss."""
    from zoomvqa.losses import norm_in_norm  # noqa: PLC0415

    return norm_in_norm(settings)


@NETWORKS.register("patches", IQANetwork)
def patches(settings: IQANetwork, example: Tensor, weights: str | None = None) -> BranchNet:
    """Return the network of patch scores and weights on crops of frames."""
    from zoomvqa.models.iqa.build import build  # noqa: PLC0415

    return build(settings, example, weights)


@NETWORKS.register("video", VQANetwork)
def video(settings: VQANetwork, example: Tensor, weights: str | None = None) -> BranchNet:
    """Return the network of a video backbone on clips."""
    from zoomvqa.models.vqa.build import build  # noqa: PLC0415

    return build(settings, example, weights)
