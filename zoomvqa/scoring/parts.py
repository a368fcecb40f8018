"""From a file to the scores of its parts: the frames that the IQA branch looks at, the clips of the VQA branch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from zoomvqa.data.clip_source import ClipSource
from zoomvqa.data.fragments import normalise
from zoomvqa.data.frame_source import frame_source
from zoomvqa.data.views import TestView
from zoomvqa.errors import VideoError
from zoomvqa.models.iqa.net import score_views
from zoomvqa.models.vqa.net import score_clips
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.reader import Frame, ReaderName


@dataclass(frozen=True)
class PartScore:
    """The score of one frame, or of one clip.

    Attributes:
        first, last: numbers of its first and last frame within the video, from 0; equal for a frame. A clip of a
            short video goes on from its start, so that the last can come before the first.
        start, end: when these frames are shown, seconds from the start of the video.
        score: in the units of the training labels, where they have any.
    """

    first: int
    last: int
    start: float
    end: float
    score: float


class PartScorer(Protocol):
    """Scores the parts of one video."""

    def __call__(self, path: Path) -> tuple[list[PartScore], str]:
        """Return the scores of a video's parts, and which decoder read it.

        Raises:
            VideoError: the video cannot be read.
        """
        ...


class FrameScorer:
    """Scores the frames of a video with an IQA network; a few at a time, so that memory does not grow with length.

    Args:
        net: in evaluation mode, on its device.
        device: the device.
        sampling: which frames.
        view: what the network sees of them.
        reader: the decoder.
        chunk: frames decoded and scored at a time.
    """

    def __init__(
        self,
        net: nn.Module,
        device: torch.device,
        sampling: FrameSampling,
        view: FrameView,
        reader: ReaderName,
        chunk: int = 8,
    ) -> None:
        self._net, self._device, self._chunk = net, device, chunk
        self._sampling, self._reader, self._view = sampling, reader, TestView(view)

    def __call__(self, path: Path) -> tuple[list[PartScore], str]:
        """See `PartScorer`."""
        source = frame_source(path, self._sampling, self._reader)
        pieces = [score_views(self._net, views, self._chunk).cpu() for views in self._views(source.frames())]
        if not pieces:
            raise VideoError("there is no frame in it")
        told = zip(source.indices, source.times, torch.cat(pieces).tolist(), strict=True)
        return [PartScore(index, index, time, time, score) for index, time, score in told], source.reader

    def _views(self, frames: Iterator[Frame]) -> Iterator[Tensor]:
        while piece := [self._view(frame) for frame in islice(frames, self._chunk)]:
            yield torch.stack(piece).to(self._device)


class ClipScorer:
    """Scores the test clips of a video with a VQA network.

    Args:
        net: in evaluation mode, on its device.
        device: the device.
        sampling: how clips are laid over the video.
        view: what the network sees of their frames.
        reader: the decoder.
    """

    def __init__(
        self, net: nn.Module, device: torch.device, sampling: ClipSampling, view: ClipView, reader: ReaderName
    ) -> None:
        self._net, self._device, self._reader = net, device, reader
        self._sampling, self._view = sampling, view

    def __call__(self, path: Path) -> tuple[list[PartScore], str]:
        """See `PartScorer`."""
        source = ClipSource(path, self._sampling, self._view, self._sampling.test_clips, self._reader)
        clips = torch.from_numpy(source.pictures())
        scores = score_clips(self._net, (normalise(clip.to(self._device), self._view) for clip in clips))
        told = zip(source.indices.tolist(), source.times().tolist(), scores.tolist(), strict=True)
        parts = [PartScore(frames[0], frames[-1], times[0], times[-1], score) for frames, times, score in told]
        return parts, source.reader
