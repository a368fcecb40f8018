"""Checkpoints of small networks with random weights."""

from pathlib import Path

import pytest
import torch

from zoomvqa.checkpoints import BranchDescription, Checkpoint
from zoomvqa.errors import VideoError
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.scoring.scorer import Scorer, VideoScore
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    """Of an IQA branch."""
    torch.manual_seed(0)
    network = IQANetwork(backbone="test_efficientnet", hidden=16)
    description = BranchDescription(
        version="0",
        branch="iqa",
        unit="mos",
        network=network,
        sampling=FrameSampling(),
        view=FrameView(resize=96, crop=64),
    )
    return Checkpoint(description, build_iqa_net(network, 64).state_dict(), "zoomvqa")


@pytest.fixture(scope="session")
def clip_checkpoint() -> Checkpoint:
    """Of a VQA branch."""
    torch.manual_seed(0)
    description = BranchDescription(
        version="0",
        branch="vqa",
        unit="none",
        network=VQANetwork(backbone="swin_nano", patch=4),
        sampling=ClipSampling(clip_len=4, frame_interval=2, test_clips=3),
        view=ClipView(resize=-1, grid=3, side=16),
    )
    return Checkpoint(description, build_vqa_net(description.network, 4, 48).state_dict(), "zoomvqa")


def try_score(scorer: Scorer, path: Path) -> VideoScore:
    """Return the score of a file or folder; one that cannot be scored is no exception."""
    try:
        return scorer.score(path)
    except VideoError as error:
        return VideoScore(None, str(error))
