"""The frames datamodule: a labelled set as loaders of frames, cached on disk the first time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from zoomvqa.data.array_cache import ArrayCache, fill
from zoomvqa.data.batch import VideoFrameViews
from zoomvqa.data.branch_datamodule import BranchDataModule
from zoomvqa.data.frame_dataset import TrainFrames, WholeVideos, training_frames
from zoomvqa.data.frame_order import FrameBatches
from zoomvqa.data.frame_source import FrameChoice, open_store
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.opening import open_all
from zoomvqa.data.views import TestView
from zoomvqa.settings.iqa import FrameLoading, FrameSampling, FrameView
from zoomvqa.video.reader import ReaderName

# Frames of a video that a head is fitted on.
_PARTS = 8


class FrameDataModule(BranchDataModule):
    """Loaders of frames for the IQA branch.

    Args:
        labelled: the set.
        sampling: which frames of a video.
        view: what the network sees of them.
        loading: batches, workers and cache.
        reader: the decoder.
        seed: of the order, the crops and the flips.
    """

    def __init__(
        self,
        labelled: LabelledSet,
        sampling: FrameSampling,
        view: FrameView,
        loading: FrameLoading,
        reader: ReaderName = "auto",
        seed: int = 0,
    ) -> None:
        cache = ArrayCache(loading.cache_folder, "frames", loading.cache_limit_gb) if loading.cache else None
        super().__init__(labelled, cache, loading.workers, "zoomvqa.data.frame_dataset")
        self._sampling, self._view, self._loading = sampling, view, loading
        self._reader, self._seed = reader, seed
        self._train: TrainFrames | None = None
        self._counts: list[int] = []
        self._grouped = False

    def prepare_data(self) -> None:
        """Fill the cache, on one process; entries that are there already are kept.

        Raises:
            AnnotationError: some training videos cannot be read; all of them are listed.
        """
        if self._cache:
            fill(self._cache, self.train_videos, self._place_of, self._decoded)

    def setup(self, stage: str) -> None:  # noqa: ARG002  Lightning's signature
        """Look up what is cached and count the frames of the rest, on every process."""
        if self._train is not None:
            return
        self._counts = open_all(self.train_videos, self._count)
        # Validation videos are decoded in every epoch; one that does not even open is named now.
        open_all(self.val_videos, self._chosen)
        entries = [self._entry(video) for video in self.train_videos]
        self._grouped = any(entry is None for entry in entries)
        self._train = TrainFrames(self.train_videos, entries, self._sampling, self._view, self._reader)

    def train_dataloader(self) -> DataLoader:
        """Return the loader of random frames of this process's share."""
        assert self._train is not None, "setup() comes first"  # noqa: S101
        order = FrameBatches(
            self._counts,
            self._loading.batch_size,
            self._seed,
            *self._place(),
            grouped=self._grouped,
            workers=self._loading.workers,
        )
        return self._loader_of_batches(self._train, order)

    def val_dataloader(self) -> DataLoader:
        """Return the loader of whole validation videos."""
        return self._loader_of_videos(WholeVideos(self.val_videos, self._sampling, self._view, self._reader))

    def training_parts(self, video: LabelledVideo) -> VideoFrameViews:
        """Return the test views of at most 8 frames of a training video, as training has them: rounded to 8 bits.

        Raises:
            VideoError: it is not cached, and cannot be read.
        """
        entry = self._entry(video)
        frames = self._decoded(video) if entry is None else ArrayCache.load(entry)
        count = min(len(frames), _PARTS)
        view = TestView(self._view)
        views = np.stack([view(np.asarray(frames[i * len(frames) // count])) for i in range(count)])
        return VideoFrameViews(torch.from_numpy(views), torch.tensor(video.mos), torch.tensor(0))

    def _facts(self, video: LabelledVideo) -> tuple[Any, ...]:  # noqa: ARG002  the file alone tells it
        return (self._sampling.model_dump(), self._view.resize, self._reader)

    def _decoded(self, video: LabelledVideo) -> NDArray[np.uint8]:
        return training_frames(video.path, self._sampling, self._view.resize, self._reader)

    def _chosen(self, video: LabelledVideo) -> int:
        return len(FrameChoice(open_store(video.path, self._reader), self._sampling).wanted)

    def _count(self, video: LabelledVideo) -> int:
        """Return how many frames a video gives; one that is not cached is opened, which finds what is no video."""
        entry = self._entry(video)
        return self._chosen(video) if entry is None else len(ArrayCache.load(entry))
