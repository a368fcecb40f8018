"""The clips of one video, as the pictures that the network sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.data.fragments import FragmentCutter, plan_view
from zoomvqa.errors import VideoError
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.clips import clip_indices
from zoomvqa.video.reader import Frame, ReaderName, Video


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
        indices: (draws · clips, frames) int64, the number of each frame within the video.

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
        if path.is_dir():
            raise VideoError("a folder of pictures; clips need the video itself")
        self._video = Video(path, reader)
        self._view, self._draw = view, draw
        length = len(self._video)
        clip_len, interval = sampling.clip_len, sampling.frame_interval
        drawn = [clip_indices(length, clip_len, interval, num_clips, draw) for _ in range(draws)]
        self.indices = np.concatenate(drawn)
        # Found now, not after hours of training; drawn plans lie within pictures of the same size.
        plan_view(view, self._video.timeline.height, self._video.timeline.width)

    @property
    def reader(self) -> str:
        """The decoder in use, which may change midway."""
        return self._video.reader

    def times(self) -> NDArray[np.float64]:
        """Return when each frame of `indices` is shown, in seconds: (draws · clips, frames) float64."""
        shown, where = np.unique(self.indices, return_inverse=True)
        seconds = np.array([self._video.timeline.seconds(index) for index in shown])
        return seconds[where].reshape(self.indices.shape)

    def pictures(self) -> NDArray[np.uint8]:
        """Return the (draws · clips, frames, size, size, 3) uint8 pictures; every frame is decoded at most once.

        Full frames are seen one at a time: of each only what the network needs is kept.

        Raises:
            VideoError: a frame cannot be decoded, or frames differ in shape.
        """
        wanted = np.unique(self.indices).tolist()
        size = self._view.size
        pictures = np.empty((*self.indices.shape, size, size, 3), np.uint8)
        cutters: list[tuple[FragmentCutter, slice]] = []
        for number, frame in zip(wanted, self._video.frames(wanted), strict=True):
            cutters = cutters or self._cutters(frame)
            for cutter, clips in cutters:
                here = self.indices[clips] == number
                if here.any():
                    pictures[clips][here] = cutter(frame)
        return pictures

    def _cutters(self, frame: Frame) -> list[tuple[FragmentCutter, slice]]:
        """Return what cuts the pictures of which clips: one for all, or, drawn, one for each."""
        height, width = frame.shape[:2]
        clips = len(self.indices)
        parts = [slice(0, clips)] if self._draw is None else [slice(i, i + 1) for i in range(clips)]
        plans = [plan_view(self._view, height, width, self._draw) for _ in parts]
        return [(FragmentCutter((height, width), plan), part) for plan, part in zip(plans, parts, strict=True)]
