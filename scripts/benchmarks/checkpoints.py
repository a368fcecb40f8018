"""Checkpoints with random weights, to measure with."""

from __future__ import annotations

import torch

from zoomvqa.calibration import BranchScale, FusionScale, Logistic
from zoomvqa.checkpoints import BranchDescription, Checkpoint, FusionDescription
from zoomvqa.checkpoints.load import build_described
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork

# Centres and widths of what brings either branch's scores to 0..100.
_RISING = ((50.0, 16.0), (0.5, 0.16))


def fused(*, small: bool = False) -> Checkpoint:
    """Return a fused checkpoint, the same on every call.

    Args:
        small: of networks that score a short video in hundredths of a second, not of the release's.
    """
    torch.manual_seed(0)
    rising = [Logistic(low=0.0, high=100.0, centre=centre, width=width) for centre, width in _RISING]
    scales = {
        "iqa": BranchScale(mean=50.0, std=24.0, logistic=rising[0]),
        "vqa": BranchScale(mean=0.5, std=0.24, logistic=rising[1]),
    }
    weights = {"iqa": 0.5, "vqa": 0.5}
    scale = FusionScale(branches=scales, weights=weights, logistic=rising[0], split="val", videos=20)
    if small:
        frames, clips = (
            IQANetwork(backbone="test_efficientnet", hidden=16),
            VQANetwork(backbone="swin_nano", patch=4),
        )
        sampling = ClipSampling(clip_len=4, frame_interval=2, test_clips=3)
        seen = FrameView(resize=96, crop=64), ClipView(resize=-1, grid=3, side=16)
    else:
        frames, clips, sampling, seen = IQANetwork(), VQANetwork(), ClipSampling(), (FrameView(), ClipView())
    iqa = BranchDescription(
        version="0", branch="iqa", unit="mos", network=frames, sampling=FrameSampling(), view=seen[0]
    )
    vqa = BranchDescription(version="0", branch="vqa", unit="none", network=clips, sampling=sampling, view=seen[1])
    about = FusionDescription(version="0", branches={"iqa": iqa, "vqa": vqa}, scale=scale)
    return Checkpoint(about, build_described(about).state_dict(), "zoomvqa")
