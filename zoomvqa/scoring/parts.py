"""From frames to the scores of a video's parts: frames for the IQA branch, clips for the VQA branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zoomvqa.data.clip_source import ClipTaker
from zoomvqa.data.fragments import normalise
from zoomvqa.data.frame_source import FrameChoice
from zoomvqa.data.one_pass import FrameStore, Taker
from zoomvqa.data.views import TestView
from zoomvqa.errors import VideoError
from zoomvqa.models.iqa.net import score_piece
from zoomvqa.models.vqa.net import score_clips
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.reader import Frame


@dataclass(frozen=True)
class Patches:
    """What the IQA branch says of the patches of a frame's crops.

    Attributes:
        score: (crops, grid, grid) float32, not negative, as the network puts them out.
        weight: (crops, grid, grid) float32, 0..1.
    """

    score: NDArray[np.float32]
    weight: NDArray[np.float32]


@dataclass(frozen=True)
class PartScore:
    """The score of one frame, or of one clip.

    Attributes:
        first, last: numbers of its first and last frame within the video, from 0; equal for a frame. A clip of a
            short video goes on from its start, so that the last can come before the first.
        start, end: when these frames are shown, seconds from the start of the video.
        score: in MOS units where the checkpoint has any, else as the network puts it out.
        patches: of a frame, where they were asked for.
    """

    first: int
    last: int
    start: float
    end: float
    score: float
    patches: Patches | None = None


class Look(Taker, Protocol):
    """One branch looking at one video: takes frames as they go by, and tells the scores at the end."""

    def parts(self) -> list[PartScore]:
        """Return the scores of the parts, as the network puts them out."""
        ...


class PartScorer(Protocol):
    """A branch that scores the parts of videos."""

    def begin(self, store: FrameStore, *, patches: bool) -> Look:
        """Begin to look at a video.

        Raises:
            VideoError: the branch has no use for it.
        """
        ...


@dataclass(frozen=True)
class FrameScorer:
    """Scores frames with an IQA network.

    Attributes:
        net: in evaluation mode, on its device.
        device: the device.
        sampling: which frames.
        view: what the network sees of them.
        chunk: frames scored at a time.
    """

    net: nn.Module
    device: torch.device
    sampling: FrameSampling
    view: FrameView
    chunk: int = 8

    def begin(self, store: FrameStore, *, patches: bool = False) -> Look:
        """See `PartScorer`."""
        return _FrameLook(self, FrameChoice(store, self.sampling), patches=patches)


class _FrameLook:
    """Frames are scored a few at a time as they come, so that memory does not grow with a video's length."""

    def __init__(self, scorer: FrameScorer, choice: FrameChoice, *, patches: bool) -> None:
        self.wanted: Sequence[int] = choice.wanted
        self._scorer, self._times, self._patches = scorer, choice.times, patches
        self._view = TestView(scorer.view)
        self._waiting: list[Tensor] = []
        self._scores: list[float] = []
        self._found: list[Patches] = []

    def take(self, index: int, frame: Frame) -> None:  # noqa: ARG002  they come in order
        self._waiting.append(self._view(frame))
        if len(self._waiting) == self._scorer.chunk:
            self._score()

    def parts(self) -> list[PartScore]:
        if self._waiting:
            self._score()
        if not self._scores:
            raise VideoError("there is no frame in it")
        found: Sequence[Patches | None] = self._found or [None] * len(self._scores)
        told = zip(self.wanted, self._times, self._scores, found, strict=True)
        return [PartScore(index, index, time, time, score, patches) for index, time, score, patches in told]

    def _score(self) -> None:
        views = torch.stack(self._waiting).to(self._scorer.device)
        self._waiting = []
        out = score_piece(self._scorer.net, views)
        self._scores += out.score.cpu().tolist()
        if self._patches:
            pairs = zip(out.patch_score.cpu(), out.patch_weight.cpu(), strict=True)
            self._found += [Patches(score.numpy(), weight.numpy()) for score, weight in pairs]


@dataclass(frozen=True)
class ClipScorer:
    """Scores the test clips of a video with a VQA network.

    Attributes:
        net: in evaluation mode, on its device.
        device: the device.
        sampling: how clips are laid over the video.
        view: what the network sees of their frames.
    """

    net: nn.Module
    device: torch.device
    sampling: ClipSampling
    view: ClipView

    def begin(self, store: FrameStore, *, patches: bool = False) -> Look:  # noqa: ARG002  only frames have them
        """See `PartScorer`."""
        return _ClipLook(self, store)


class _ClipLook(ClipTaker):
    def __init__(self, scorer: ClipScorer, store: FrameStore) -> None:
        super().__init__(store.timeline, scorer.sampling, scorer.view, scorer.sampling.test_clips)
        self._scorer = scorer

    def parts(self) -> list[PartScore]:
        clips, device = torch.from_numpy(self.pictures), self._scorer.device
        scores = score_clips(self._scorer.net, (normalise(clip.to(device), self._scorer.view) for clip in clips))
        told = zip(self.indices.tolist(), self.times().tolist(), scores.tolist(), strict=True)
        return [PartScore(frames[0], frames[-1], times[0], times[-1], score) for frames, times, score in told]
