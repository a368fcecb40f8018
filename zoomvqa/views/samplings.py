"""Which frames of a video are looked at: single frames at a rate, or clips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameSampling
from zoomvqa.settings.vqa import ClipSampling
from zoomvqa.video.clips import clip_indices
from zoomvqa.video.rate import frames_at_rate
from zoomvqa.views.base import Sampling
from zoomvqa.views.decoding import FrameStore
from zoomvqa.views.store import PictureFolder


class FrameRate(Sampling):
    """Frames as `ffmpeg -r` chooses them; all of a folder of extracted frames.

    Args:
        settings: frames a second.
    """

    part = "frame"
    takes_folders = True
    together = 8

    def __init__(self, settings: FrameSampling) -> None:
        self._rate = settings.rate

    @property
    def frames_per_part(self) -> int:
        """1."""
        return 1

    def choose(
        self, store: FrameStore, draw: np.random.Generator | None = None, parts: int | None = None
    ) -> NDArray[np.int64]:
        """Return all frames at the rate, or some of them at random: (parts, 1) int64, never decreasing.

        Raises:
            VideoError: there is no frame.
        """
        folder = isinstance(store, PictureFolder)
        chosen = list(range(len(store.timeline))) if folder else frames_at_rate(store.timeline, self._rate)
        if not chosen:
            raise VideoError("there is no frame in it")
        if draw is not None:
            count = len(chosen) if parts is None else parts
            chosen = np.sort(draw.choice(np.array(chosen), count, replace=len(chosen) < count)).tolist()
        return np.array(chosen, np.int64)[:, None]

    def seconds(self, store: FrameStore, index: int) -> float:
        """Return when a frame is shown; of a folder, by the rate that it was extracted with."""
        return index / self._rate if isinstance(store, PictureFolder) else store.timeline.seconds(index)


class Clips(Sampling):
    """Clips of evenly spaced frames, one for each equal stretch of the video (FAST-VQA, arXiv 2207.02595).

    Args:
        settings: how long, how many.
    """

    part = "clip"

    def __init__(self, settings: ClipSampling) -> None:
        self._settings = settings

    @property
    def frames_per_part(self) -> int:
        """Frames of a clip."""
        return self._settings.clip_len

    @property
    def train_parts(self) -> int:
        """Clips a video."""
        return self._settings.train_clips

    def choose(
        self, store: FrameStore, draw: np.random.Generator | None = None, parts: int | None = None
    ) -> NDArray[np.int64]:
        """Return the frames of each clip, (clips, frames) int64; see `zoomvqa.video.clips.clip_indices`."""
        about = self._settings
        usual = about.test_clips if draw is None else about.train_clips
        count = usual if parts is None else parts
        return clip_indices(len(store.timeline), about.clip_len, about.frame_interval, count, draw)
