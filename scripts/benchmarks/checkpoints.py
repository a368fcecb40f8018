"""Checkpoints with random weights, to measure with."""

from __future__ import annotations

import numpy as np
import torch

from zoomvqa.calibration import fit_fusion
from zoomvqa.checkpoints import Checkpoint, FusionDescription, IQADescription, VQADescription
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork


def fused(*, small: bool = False) -> Checkpoint:
    """Return a fused checkpoint, the same on every call.

    Args:
        small: of networks that score a short video in hundredths of a second, not of the release's.
    """
    torch.manual_seed(0)
    mos = np.linspace(10, 90, 20)
    scale = fit_fusion(mos, mos / 100, mos, (0.0, 100.0), "val")
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
