"""Map-style data sets of frames: random views for training, whole videos for validation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from zoomvqa.data.array_cache import ArrayCache
from zoomvqa.data.batch import FrameBatch, VideoFrameViews, labels_of
from zoomvqa.data.frame_order import FrameKey
from zoomvqa.data.frame_source import chosen_frames
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.substitutes import Substitutes
from zoomvqa.data.views import TestView, TrainView, at_training_resolution
from zoomvqa.data.whole_videos import WholeVideoSet
from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.video.reader import ReaderName


def training_frames(
    path: Path, sampling: FrameSampling, resize: int, reader: ReaderName = "auto"
) -> NDArray[np.uint8]:
    """Decode a video once and return its frames at the training resolution, (n, height, width, 3) uint8.

    Raises:
        VideoError: the video cannot be read.
    """
    frames = [at_training_resolution(f, resize) for f in chosen_frames(path, sampling, reader)]
    if len(shapes := sorted({frame.shape[:2] for frame in frames})) > 1:
        raise VideoError(f"its frames have different shapes: {' and '.join(f'{w}×{h}' for h, w in shapes[:2])}")
    return np.stack(frames)


class TrainFrames(Dataset[FrameBatch]):
    """Random views of training frames; an index is the list of keys of one batch.

    Args:
        videos: the training videos.
        entries: for each video its cache entry, or None where it must be decoded.
        sampling: which frames.
        view: what the network sees of them.
        reader: the decoder.
        remembered: decoded videos each worker keeps at hand.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        entries: Sequence[Path | None],
        sampling: FrameSampling,
        view: FrameView,
        reader: ReaderName = "auto",
        remembered: int = 8,
    ) -> None:
        self._entries = {video.name: entry for video, entry in zip(videos, entries, strict=True)}
        self._substitutes = Substitutes(videos)
        self._sampling, self._resize, self._reader = sampling, view.resize, reader
        self._view = TrainView(view)
        self._remembered = remembered
        self._at_hand: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()

    def __getitem__(self, keys: list[FrameKey]) -> FrameBatch:
        read = [self._substitutes.read(key.video, self._frames) for key in keys]
        # What stands in for a video may have fewer frames.
        pairs = zip(read, keys, strict=True)
        views = [self._view(frames[key.frame % len(frames)], key.seed) for (frames, _), key in pairs]
        mos, sets = labels_of([video for _, video in read])
        return FrameBatch(torch.from_numpy(np.stack(views)), mos, self._substitutes.untold(), sets)

    def _frames(self, video: LabelledVideo) -> NDArray[np.uint8]:
        entry = self._entries[video.name]
        if entry is not None:
            return ArrayCache.load(entry)
        if video.name not in self._at_hand:
            frames = training_frames(video.path, self._sampling, self._resize, self._reader)
            self._at_hand[video.name] = frames
            if len(self._at_hand) > self._remembered:
                self._at_hand.popitem(last=False)
        return self._at_hand[video.name]


class WholeVideos(WholeVideoSet[VideoFrameViews]):
    """Every frame of a video at its test views; an index is a video's number.

    Args:
        videos: the videos of a split.
        sampling: which frames.
        view: what the network sees of them.
        reader: the decoder.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        sampling: FrameSampling,
        view: FrameView,
        reader: ReaderName = "auto",
    ) -> None:
        super().__init__(videos)
        self._sampling, self._view, self._reader = sampling, TestView(view), reader

    def read(self, video: LabelledVideo, mos: Tensor, index: Tensor) -> VideoFrameViews:
        """Return the test views of a video's frames."""
        frames = chosen_frames(video.path, self._sampling, self._reader)
        return VideoFrameViews(torch.from_numpy(np.stack([self._view(frame) for frame in frames])), mos, index)
