"""The clips of one video, as the pictures that the network sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.data.fragments import FragmentCutter, plan_view
from zoomvqa.data.one_pass import FrameStore, one_pass
from zoomvqa.errors import VideoError
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.clips import clip_indices
from zoomvqa.video.reader import Frame, ReaderName, Video
from zoomvqa.video.timeline import Timeline


class ClipTaker:
    """Cuts the pictures of clips out of a video's frames as they go by.

    Full frames are seen one at a time: of each only what the network needs is kept.

    Args:
        timeline: of the video.
        sampling: how clips are laid over it.
        view: what the network sees of their frames.
        num_clips: how many.
        draw: for training: where clips start and fragments lie; None is the deterministic choice.
        draws: how often clips are drawn.

    Attributes:
        indices: (draws · clips, frames) int64, the number of each frame within the video.
        wanted: see `zoomvqa.data.one_pass.Taker`.
        pictures: (draws · clips, frames, size, size, 3) uint8, filled as frames come.

    Raises:
        VideoError: the frames are too narrow.
    """

    def __init__(
        self,
        timeline: Timeline,
        sampling: ClipSampling,
        view: ClipView,
        num_clips: int,
        draw: np.random.Generator | None = None,
        draws: int = 1,
    ) -> None:
        clip_len, interval = sampling.clip_len, sampling.frame_interval
        drawn = [clip_indices(len(timeline), clip_len, interval, num_clips, draw) for _ in range(draws)]
        self.indices = np.concatenate(drawn)
        self.wanted = np.unique(self.indices).tolist()
        self._timeline, self._view, self._draw = timeline, view, draw
        self._cutters: list[tuple[FragmentCutter, slice]] = []
        self._pictures: NDArray[np.uint8] | None = None
        # Found now, not after hours of training; drawn plans lie within pictures of the same size.
        if timeline.height and timeline.width:  # a damaged file may not tell
            plan_view(view, timeline.height, timeline.width)

    @property
    def pictures(self) -> NDArray[np.uint8]:
        """See the class."""
        if self._pictures is None:
            size = self._view.size
            self._pictures = np.empty((*self.indices.shape, size, size, 3), np.uint8)
        return self._pictures

    def take(self, index: int, frame: Frame) -> None:
        """Cut what is needed of a frame.

        Raises:
            VideoError: it has another shape than the first.
        """
        self._cutters = self._cutters or self._plan(frame)
        for cutter, clips in self._cutters:
            here = self.indices[clips] == index
            if here.any():
                self.pictures[clips][here] = cutter(frame)

    def times(self) -> NDArray[np.float64]:
        """Return when each frame of `indices` is shown, in seconds: (draws · clips, frames) float64."""
        shown, where = np.unique(self.indices, return_inverse=True)
        seconds = np.array([self._timeline.seconds(index) for index in shown])
        return seconds[where].reshape(self.indices.shape)

    def _plan(self, frame: Frame) -> list[tuple[FragmentCutter, slice]]:
        """Return what cuts the pictures of which clips: one for all, or, drawn, one for each."""
        height, width = frame.shape[:2]
        clips = len(self.indices)
        parts = [slice(0, clips)] if self._draw is None else [slice(i, i + 1) for i in range(clips)]
        plans = [plan_view(self._view, height, width, self._draw) for _ in parts]
        return [(FragmentCutter((height, width), plan), part) for plan, part in zip(plans, parts, strict=True)]


class ClipSource:
    """Clips of a video file.

    Args:
        path: the file.
        sampling: how clips are laid over the video.
        view: what the network sees of their frames.
        num_clips: how many.
        reader: the decoder.
        draw: for training: where clips start and fragments lie; None is the deterministic choice.
        draws: how often clips are drawn, all of them from one decoding.

    Attributes:
        taker: what cuts the clips.

    Raises:
        VideoError: the file is not a readable video, or its frames are too narrow.
    """

    def __init__(
        self,
        path: Path,
        sampling: ClipSampling,
        view: ClipView,
        num_clips: int,
        reader: ReaderName = "auto",
        draw: np.random.Generator | None = None,
        draws: int = 1,
    ) -> None:
        refuse_folder(path)
        self._video: FrameStore = Video(path, reader)
        self.taker = ClipTaker(self._video.timeline, sampling, view, num_clips, draw, draws)

    def pictures(self) -> NDArray[np.uint8]:
        """Return the (draws · clips, frames, size, size, 3) uint8 pictures; every frame is decoded at most once.

        Raises:
            VideoError: a frame cannot be decoded, or frames differ in shape.
        """
        one_pass(self._video, [self.taker])
        return self.taker.pictures


def refuse_folder(path: Path) -> None:
    """Refuse a folder of extracted frames.

    Raises:
        VideoError: it is one.
    """
    if path.is_dir():
        raise VideoError("a folder of pictures; clips need the video itself")
