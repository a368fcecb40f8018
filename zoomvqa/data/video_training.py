"""Training on a few random parts of each video, which all branches look at in one decoding."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoomvqa.data.array_cache import ArrayCache, fill
from zoomvqa.data.batch import Batch, VideoBatch, labels_of
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.substitutes import Substitutes
from zoomvqa.data.training_source import Samples, TrainingSource
from zoomvqa.data.video_order import VideoBatches, VideoKey
from zoomvqa.data.whole_videos import check_video, open_video
from zoomvqa.settings.branch import VideoLoading
from zoomvqa.settings.fusion import FusionLoading
from zoomvqa.video.reader import ReaderName
from zoomvqa.views import PartTaker
from zoomvqa.views.base import Looks
from zoomvqa.views.decoding import one_pass

# Cached draws of a video that are looked at outside of a training.
_DRAWS = 4
Arrays = dict[str, NDArray[Any]]


class VideoTraining(TrainingSource):
    """Random parts of videos.

    Args:
        looks: of the branches.
        loading: batches, workers and, for one branch, cached variants.
        reader: the decoder.
        seed: of the order and of what is drawn.
        parts: of a video that are drawn for a branch whose sampling does not tell how many.
    """

    module = __name__

    def __init__(
        self,
        looks: Looks,
        loading: VideoLoading | FusionLoading,
        reader: ReaderName = "auto",
        seed: int = 0,
        parts: int | None = None,
    ) -> None:
        self._looks, self._reader, self._seed, self._parts = looks, reader, seed, parts
        self.shared_batch: int | None = loading.batch_size
        self._batch_size = loading.batch_size
        self._variants, self._cache = 0, None
        if isinstance(loading, VideoLoading) and loading.variants:
            self._variants = loading.variants
            self._cache = ArrayCache(loading.cache_folder, "clips", loading.cache_limit_gb)

    def prepare(self, videos: Sequence[LabelledVideo]) -> None:
        """Draw and keep the variants; see `TrainingSource`."""
        for name in self._looks if self._cache else ():
            assert self._cache is not None  # noqa: S101  the line above has looked
            fill(
                self._cache,
                videos,
                partial(self._place, name),
                partial(self._made_variants, name),
                "Caching parts of videos",
            )

    def open(self, video: LabelledVideo) -> int:
        """See `TrainingSource`."""
        return check_video(video.path, self._looks, self._reader)

    def samples(self, videos: Sequence[LabelledVideo], counts: Sequence[int], rank: int, world: int) -> Samples:  # noqa: ARG002
        """See `TrainingSource`; with variants each video comes once for each of them."""
        rounds = max(1, self._variants)
        order = VideoBatches(len(videos), self._batch_size, self._seed, rank, world, variants=rounds)
        entries = {video.name: self._entries(video) for video in videos}
        return Samples(TrainParts(videos, entries, self), order)

    def some_parts(self, video: LabelledVideo) -> VideoBatch:
        """Return a few cached draws of a video's parts, or those in the middle of where they are drawn."""
        entries = self._entries(video)
        if entries is None:
            parts = self._decoded(video, None)
        else:
            parts = {n: np.concatenate(list(ArrayCache.load(entry)[:_DRAWS])) for n, entry in entries.items()}
        inputs = {name: torch.from_numpy(array) for name, array in parts.items()}
        return VideoBatch(inputs, torch.tensor(video.mos), torch.tensor(0))

    def drawn(self, video: LabelledVideo, seed: int) -> Arrays:
        """Return random parts of a video for each branch, (parts, frames, …), out of one decoding.

        Raises:
            VideoError: it cannot be read.
        """
        return self._decoded(video, np.random.default_rng(seed))

    def _decoded(self, video: LabelledVideo, draw: np.random.Generator | None) -> Arrays:
        store = open_video(video.path, self._looks, self._reader)
        takers = {}
        for name, look in self._looks.items():
            own = look.sampling.train_parts
            takers[name] = PartTaker(look, store, draw, self._parts if own is None else own, whole=True)
        one_pass(store, list(takers.values()))
        return {name: taker.parts() for name, taker in takers.items()}

    def _made_variants(self, name: str, video: LabelledVideo) -> NDArray[Any]:
        """Draw a video's variants in one decoding; the draws depend on its name, not on its place in the set."""
        draw = np.random.default_rng([self._seed, zlib.crc32(video.name.encode())])
        store = open_video(video.path, self._looks, self._reader)
        look = self._looks[name]
        own = look.sampling.train_parts
        count = self._parts if own is None else own
        taker = PartTaker(look, store, draw, count, self._variants, whole=True)
        one_pass(store, [taker])
        parts = taker.parts()
        return parts.reshape(self._variants, -1, *parts.shape[1:])

    def _place(self, name: str, video: LabelledVideo) -> Path:
        assert self._cache is not None  # noqa: S101  asked for only where there is one
        made_by = (*self._looks[name].made_from, self._variants, self._parts, self._reader, self._seed, video.name)
        return self._cache.entry(video.path, *made_by)

    def _entries(self, video: LabelledVideo) -> dict[str, Path] | None:
        """Return a video's cache entries by branch; None where one is not there."""
        if not self._cache:
            return None
        entries = {name: self._place(name, video) for name in self._looks}
        return entries if all(entry.is_file() for entry in entries.values()) else None


class TrainParts(Dataset[Batch]):
    """Random parts of training videos; an index is the list of keys of one batch.

    Args:
        videos: the training videos.
        entries: for each video's name its cache entries by branch, or None where it must be decoded.
        source: what decodes videos.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        entries: Mapping[str, Mapping[str, Path] | None],
        source: VideoTraining,
    ) -> None:
        self._substitutes, self._entries, self._source = Substitutes(videos), entries, source

    def __getitem__(self, keys: list[VideoKey]) -> Batch:
        read = [self._substitutes.read(key.video, partial(self._parts, key)) for key in keys]
        names = read[0][0].keys()
        inputs = {name: torch.from_numpy(np.stack([parts[name] for parts, _ in read])) for name in names}
        mos, sets = labels_of([video for _, video in read])
        return Batch(inputs, mos, self._substitutes.untold(), sets)

    def _parts(self, key: VideoKey, video: LabelledVideo) -> Arrays:
        entries = self._entries[video.name]
        if entries is None:
            return self._source.drawn(video, key.seed)
        return {name: ArrayCache.load(entry)[key.variant] for name, entry in entries.items()}
