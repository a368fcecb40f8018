"""The fragments datamodule: a labelled set as loaders of clips."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from zoomvqa.data.array_cache import ArrayCache, fill
from zoomvqa.data.batch import VideoClips
from zoomvqa.data.branch_datamodule import BranchDataModule
from zoomvqa.data.clip_dataset import TrainClips, WholeVideoClips
from zoomvqa.data.clip_order import ClipBatches
from zoomvqa.data.clip_source import ClipSource
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.opening import open_all
from zoomvqa.settings.vqa import ClipLoading, ClipSampling, ClipView
from zoomvqa.video.reader import ReaderName

# Cached draws of a video that are looked at before and after training.
_DRAWS = 4


class ClipDataModule(BranchDataModule):
    """Loaders of clips for the VQA branch.

    Args:
        labelled: the set.
        sampling: how clips are laid over a video.
        view: what the network sees of their frames.
        loading: batches and workers.
        reader: the decoder.
        seed: of the order and of what is drawn.
    """

    def __init__(
        self,
        labelled: LabelledSet,
        sampling: ClipSampling,
        view: ClipView,
        loading: ClipLoading,
        reader: ReaderName = "auto",
        seed: int = 0,
    ) -> None:
        cache = ArrayCache(loading.cache_folder, "clips", loading.cache_limit_gb) if loading.variants else None
        super().__init__(labelled, cache, loading.workers, "zoomvqa.data.clip_dataset")
        self._sampling, self._view, self._loading = sampling, view, loading
        self._reader, self._seed = reader, seed
        self._opened = False

    def prepare_data(self) -> None:
        """Draw and keep the variants, on one process; entries that are there already are kept.

        Raises:
            AnnotationError: some training videos cannot be read; all of them are listed.
        """
        if self._cache:
            fill(self._cache, self.train_videos, self._place_of, self._variants)

    def setup(self, stage: str) -> None:  # noqa: ARG002  Lightning's signature
        """Open every video once, so that what is no video is named before training."""
        self._refuse_uneven(self._loading.batch_size)
        if not self._opened:
            open_all([*self.train_videos, *self.val_videos], self._open)
        self._opened = True

    def train_dataloader(self) -> DataLoader:
        """Return the loader of random clips of this process's share."""
        loading, rounds = self._loading, max(1, self._loading.variants)
        order = ClipBatches(
            len(self.train_videos), loading.batch_size, self._seed, *self._place(), variants=rounds
        )
        entries = [self._entry(video) for video in self.train_videos]
        clips = TrainClips(self.train_videos, entries, self._sampling, self._view, self._reader)
        return self._loader_of_batches(clips, order)

    def val_dataloader(self) -> DataLoader:
        """Return the loader of the test clips of validation videos."""
        return self._loader_of_videos(WholeVideoClips(self.val_videos, self._sampling, self._view, self._reader))

    def training_parts(self, video: LabelledVideo) -> VideoClips:
        """Return a few draws of a training video's clips.

        Raises:
            VideoError: it is not cached, and cannot be read.
        """
        entry = self._entry(video)
        if entry is None:
            clips = ClipSource(
                video.path, self._sampling, self._view, self._sampling.train_clips, self._reader
            ).pictures()
        else:
            clips = np.concatenate(list(ArrayCache.load(entry)[:_DRAWS]))
        return VideoClips(torch.from_numpy(clips), torch.tensor(video.mos), torch.tensor(0))

    def _facts(self, video: LabelledVideo) -> tuple[Any, ...]:
        made_by = (self._sampling.model_dump(), self._view.model_dump(), self._loading.variants)
        return (*made_by, self._reader, self._seed, video.name)

    def _variants(self, video: LabelledVideo) -> NDArray[np.uint8]:
        """Draw a video's variants in one decoding; the draws depend on its name, not on its place in the set."""
        draw = np.random.default_rng([self._seed, zlib.crc32(video.name.encode())])
        clips, count = self._sampling.train_clips, self._loading.variants
        source = ClipSource(video.path, self._sampling, self._view, clips, self._reader, draw, count)
        pictures = source.pictures()
        return pictures.reshape(count, clips, *pictures.shape[1:])

    def _open(self, video: LabelledVideo) -> None:
        ClipSource(video.path, self._sampling, self._view, self._sampling.test_clips, self._reader)
