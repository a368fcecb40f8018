"""The release's way of scoring a video with both branches, to measure ours against.

IQA: ffmpeg writes the frames as PNG of full size; each is read, made float32, resized whole, and cropped; the
network has its colours first in memory. VQA: the frames of all clips are decoded one by one at full size, all of
them are made float32 and resized, and fragments are copied out; the network is the plain form and takes all clips
at once.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TypeVar

import decord
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from benchmarks.release import PlainIQA, plain_vqa
from zoomvqa.checkpoints import Checkpoint, FusionDescription
from zoomvqa.ladder.encode import run_ffmpeg
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import IQANet
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.clips import clip_indices
from zoomvqa.views.fragments import resized_shape

_BATCH = 8
T = TypeVar("T")


class ReleaseScorer:
    """Scores videos one after the other as the release does, in float32.

    Args:
        checkpoint: a fused one.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        about, net = checkpoint.description, checkpoint.build_net()
        assert isinstance(about, FusionDescription)  # noqa: S101
        assert isinstance(net, FusionNet)  # noqa: S101
        self._scale, iqa, vqa = about.scale, about.branches["iqa"], about.branches["vqa"]
        self._frame_sampling, self._frame_view = _known(iqa.sampling, FrameSampling), _known(iqa.view, FrameView)
        self._clip_sampling, self._clip_view = _known(vqa.sampling, ClipSampling), _known(vqa.view, ClipView)
        self._iqa = PlainIQA(_known(net.branches["iqa"], IQANet)).eval()
        self._vqa = plain_vqa(_known(net.branches["vqa"], VQANet)).eval()

    @torch.inference_mode()
    def score(self, video: Path) -> float:
        """Return the fused score of a video."""
        scores = {"iqa": self._frames(video), "vqa": self._clips(video)}
        return float(self._scale.fused({name: own.double().mean() for name, own in scores.items()}))

    def _frames(self, video: Path) -> Tensor:
        rate = self._frame_sampling.rate
        with tempfile.TemporaryDirectory() as folder:
            run_ffmpeg(["-i", str(video), "-r", f"{rate:g}", f"{folder}/%06d.png"])
            views = [_centre(picture, self._frame_view) for picture in sorted(Path(folder).iterdir())]
        return torch.cat(
            [self._iqa(torch.stack(views[i : i + _BATCH])).score for i in range(0, len(views), _BATCH)]
        )

    def _clips(self, video: Path) -> Tensor:
        sampling, reader = self._clip_sampling, decord.VideoReader(str(video))
        wanted = clip_indices(len(reader), sampling.clip_len, sampling.frame_interval, sampling.test_clips)
        frames = {at: torch.from_numpy(reader[at].asnumpy()) for at in np.unique(wanted).tolist()}
        whole = torch.stack([frames[at] for at in wanted.ravel().tolist()]).permute(3, 0, 1, 2)
        clips = _fragments(whole, self._clip_view).unflatten(1, wanted.shape).transpose(0, 1)
        return self._vqa(clips).score


def _known(value: object, kind: type[T]) -> T:
    """Return a value, seen to be of a type."""
    assert isinstance(value, kind)  # noqa: S101
    return value


def _centre(path: Path, view: FrameView) -> Tensor:
    """Return the centre crop of a picture: (3, crop, crop) float32, normalised."""
    with Image.open(path) as picture:
        frame = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous().float() / 255
    height, width = frame.shape[1:]
    size = resized_shape(height, width, view.resize)
    frame = functional.interpolate(frame[None], size, mode="bilinear")[0]
    top, left = ((n - view.crop) // 2 for n in size)
    mean, std = (torch.tensor(v)[:, None, None] for v in (view.mean, view.std))
    return (frame[:, top : top + view.crop, left : left + view.crop] - mean) / std


def _fragments(clip: Tensor, view: ClipView) -> Tensor:
    """Return the fragments of (3, frames, h, w) uint8 frames: (3, frames, size, size) float32, normalised."""
    height, width = clip.shape[-2:]
    if view.resize > 0:
        size = height, width = resized_shape(height, width, view.resize)
        scaled = functional.interpolate(clip.transpose(0, 1) / 255.0, size, mode="bilinear")
        clip = (scaled * 255.0).to(torch.uint8).transpose(0, 1)
    side, rows, columns = view.side, height // view.grid, width // view.grid
    cut = torch.zeros(3, clip.shape[1], view.size, view.size)
    for i in range(view.grid):
        for j in range(view.grid):
            top = min(rows * i, height - side) + (rows - side) // 2
            left = min(columns * j, width - side) + (columns - side) // 2
            piece = clip[:, :, top : top + side, left : left + side]
            cut[:, :, i * side : (i + 1) * side, j * side : (j + 1) * side] = piece
    mean, std = (torch.tensor(v)[:, None, None, None] for v in (view.mean, view.std))
    return (cut - mean) / std
