"""Both branches as one network, whose score is in MOS units."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from zoomvqa.calibration import FusionScale
from zoomvqa.models.iqa.net import IQANet, score_views
from zoomvqa.models.vqa.net import VQANet, score_clips


class FusedScores(NamedTuple):
    """What the network says of videos.

    Attributes:
        score: (batch,) in MOS units.
        iqa: (batch,) the IQA branch's own score: the mean over frames.
        vqa: (batch,) the VQA branch's own score: the mean over clips.
    """

    score: Tensor
    iqa: Tensor
    vqa: Tensor


class FusionNet(nn.Module):
    """An IQA branch, a VQA branch, and how their scores are joined.

    Args:
        iqa: looks at frames.
        vqa: looks at clips.
        scale: fixed numbers; what is trained through them are the branches.
    """

    def __init__(self, iqa: IQANet, vqa: VQANet, scale: FusionScale) -> None:
        super().__init__()
        self.iqa, self.vqa, self.scale = iqa, vqa, scale

    @property
    def backbones(self) -> tuple[nn.Module, ...]:
        """The modules that train with the backbones' smaller step; the others are heads."""
        return (*self.iqa.backbones, *self.vqa.backbones)

    def forward(self, views: Tensor, clips: Tensor) -> FusedScores:
        """Score videos by some of their parts.

        Args:
            views: (batch, frames, 3, crop, crop) normalised.
            clips: (batch, clips, 3, frames, size, size) normalised.
        """
        iqa = self.iqa(views.flatten(0, 1)).score.float().view(views.shape[:2]).mean(dim=1)
        vqa = self.vqa(clips.flatten(0, 1)).score.float().view(clips.shape[:2]).mean(dim=1)
        return FusedScores(self.scale.fused(iqa, vqa), iqa, vqa)


def score_video(net: FusionNet, views: Tensor, clips: list[Tensor]) -> FusedScores:
    """Return the scores of one whole video, as scoring a file computes them.

    Args:
        net: in evaluation mode.
        views: (frames, crops, 3, crop, crop) normalised.
        clips: each (3, frames, size, size), normalised.

    Returns:
        Each (), on the CPU; the fused one float64.
    """
    iqa, vqa = score_views(net.iqa, views).mean().cpu(), score_clips(net.vqa, clips).mean().cpu()
    return FusedScores(net.scale.fused(iqa.double(), vqa.double()), iqa, vqa)
