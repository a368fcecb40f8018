"""Map-style data sets of clips: random ones for training, the fixed ones of whole videos for validation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from zoomvqa.data.array_cache import ArrayCache
from zoomvqa.data.batch import ClipBatch, VideoClips, labels_of
from zoomvqa.data.clip_order import ClipKey
from zoomvqa.data.clip_source import ClipSource
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.substitutes import Substitutes
from zoomvqa.data.whole_videos import WholeVideoSet
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.reader import ReaderName


class TrainClips(Dataset[ClipBatch]):
    """Random clips of training videos; an index is the list of keys of one batch.

    Args:
        videos: the training videos.
        entries: for each video the cache entry with its variants, or None where it must be decoded.
        sampling: how clips are laid over a video.
        view: what the network sees of their frames.
        reader: the decoder.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        entries: Sequence[Path | None],
        sampling: ClipSampling,
        view: ClipView,
        reader: ReaderName = "auto",
    ) -> None:
        self._entries = {video.name: entry for video, entry in zip(videos, entries, strict=True)}
        self._substitutes = Substitutes(videos)
        self._sampling, self._view, self._reader = sampling, view, reader

    def __getitem__(self, keys: list[ClipKey]) -> ClipBatch:
        read = [self._substitutes.read(key.video, partial(self._clips, key)) for key in keys]
        clips = torch.from_numpy(np.stack([pictures for pictures, _ in read]))
        mos, sets = labels_of([video for _, video in read])
        return ClipBatch(clips, mos, self._substitutes.untold(), sets)

    def _clips(self, key: ClipKey, video: LabelledVideo) -> NDArray[np.uint8]:
        entry = self._entries[video.name]
        if entry is not None:
            return ArrayCache.load(entry)[key.variant]
        draw, clips = np.random.default_rng(key.seed), self._sampling.train_clips
        return ClipSource(video.path, self._sampling, self._view, clips, self._reader, draw).pictures()


class WholeVideoClips(WholeVideoSet[VideoClips]):
    """The test clips of a video; an index is a video's number.

    Args:
        videos: the videos of a split.
        sampling: how clips are laid over a video.
        view: what the network sees of their frames.
        reader: the decoder.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        sampling: ClipSampling,
        view: ClipView,
        reader: ReaderName = "auto",
    ) -> None:
        super().__init__(videos)
        self._sampling, self._view, self._reader = sampling, view, reader

    def read(self, video: LabelledVideo, mos: Tensor, index: Tensor) -> VideoClips:
        """Return the test clips of a video."""
        source = ClipSource(video.path, self._sampling, self._view, self._sampling.test_clips, self._reader)
        return VideoClips(torch.from_numpy(source.pictures()), mos, index)
