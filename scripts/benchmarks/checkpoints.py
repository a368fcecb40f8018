"""Checkpoints with random weights, to measure with."""

from __future__ import annotations

import torch

from zoomvqa.calibration import BranchScale, FusionScale, Logistic
from zoomvqa.checkpoints import Checkpoint, FusionDescription, IQADescription, VQADescription
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
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
    branches = [
        BranchScale(mean=50.0, std=24.0, logistic=rising[0]),
        BranchScale(mean=0.5, std=0.24, logistic=rising[1]),
    ]
    scale = FusionScale(iqa=branches[0], vqa=branches[1], share=0.5, logistic=rising[0], split="val", videos=20)
    if small:
        frames, clips = (
            IQANetwork(backbone="test_efficientnet", hidden=16),
            VQANetwork(backbone="swin_nano", patch=4),
        )
        sampling = ClipSampling(clip_len=4, frame_interval=2, test_clips=3)
        seen = FrameView(resize=96, crop=64), ClipView(resize=-1, grid=3, side=16)
    else:
        frames, clips, sampling, seen = IQANetwork(), VQANetwork(), ClipSampling(), (FrameView(), ClipView())
    iqa = IQADescription(version="0", unit="mos", network=frames, sampling=FrameSampling(), view=seen[0])
    vqa = VQADescription(version="0", unit="none", network=clips, sampling=sampling, view=seen[1])
    nets = build_iqa_net(frames, seen[0].crop), build_vqa_net(clips, sampling.clip_len, seen[1].size)
    net = FusionNet(*nets, scale)
    return Checkpoint(FusionDescription(version="0", iqa=iqa, vqa=vqa, scale=scale), net.state_dict(), "zoomvqa")
