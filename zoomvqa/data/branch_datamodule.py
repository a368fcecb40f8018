"""What the datamodules of all branches share: the cache, this process's place, worker processes."""

from __future__ import annotations

import multiprocessing
import os
from abc import ABC, abstractmethod
from functools import partial
from pathlib import Path
from typing import Any

import lightning
from lightning.fabric.utilities.seed import pl_worker_init_function
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from zoomvqa.data.array_cache import ArrayCache
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.resumable import ResumableLoader, ResumableOrder
from zoomvqa.data.transfer import to_main_process
from zoomvqa.errors import SettingsError
from zoomvqa.parent import end_with_parent


def _start_worker(number: int, rank: int) -> None:
    """Make a worker ready: it does not outlive the training, and is seeded as Lightning does it."""
    end_with_parent()
    if os.environ.get("PL_SEED_WORKERS") == "1":
        pl_worker_init_function(number, rank)


class BranchDataModule(lightning.LightningDataModule, ABC):
    """Loaders over a labelled set; subclasses say what a batch is.

    Args:
        labelled: the set.
        cache: of what was decoded of training videos; None without one.
        workers: worker processes of a loader.
        preload: module that a worker imports, imported once for all of them.

    Attributes:
        labelled: the set.
        train_videos: of the training split.
        val_videos: of the validation split.
    """

    def __init__(self, labelled: LabelledSet, cache: ArrayCache | None, workers: int, preload: str) -> None:
        super().__init__()
        self.labelled = labelled
        self.train_videos = labelled.part("train")
        self.val_videos = labelled.part("val")
        self._cache, self._num_workers, self._preload = cache, workers, preload

    @abstractmethod
    def _facts(self, video: LabelledVideo) -> tuple[Any, ...]:
        """Return what a video's cache entry depends on beside its file."""

    def _place_of(self, video: LabelledVideo) -> Path:
        """Return the file that holds, or would hold, a video's cache entry."""
        assert self._cache is not None  # noqa: S101  asked for only where there is one
        return self._cache.entry(video.path, *self._facts(video))

    def _entry(self, video: LabelledVideo) -> Path | None:
        """Return a video's cache entry, None where there is none."""
        entry = self._place_of(video) if self._cache else None
        return entry if entry is not None and entry.is_file() else None

    def _place(self) -> tuple[int, int]:
        """Return this process's rank and the number of processes."""
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)

    def _refuse_uneven(self, batch_size: int) -> None:
        """Refuse a global batch that the processes cannot share.

        Raises:
            SettingsError: it does not divide.
        """
        _, world = self._place()
        if batch_size % world:
            raise SettingsError(
                f"branch.loading.batch_size: got {batch_size}, expected a multiple of the {world} processes that "
                "share it"
            )

    def _loader_of_batches(self, batches: Dataset, order: ResumableOrder) -> DataLoader:
        return ResumableLoader(self.trainer, order, dataset=batches, **self._workers())

    def _loader_of_videos(self, videos: Dataset) -> DataLoader:
        """Return a loader of this process's share; processes may see a video twice, never miss one."""
        rank, world = self._place()
        sampler: DistributedSampler = DistributedSampler(videos, world, rank, shuffle=False)
        return DataLoader(videos, sampler=sampler, batch_size=None, **self._workers())

    def _workers(self) -> dict[str, Any]:
        workers = self._num_workers
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        # Workers are started anew, not forked: a fork of a process with decoder threads can freeze.
        context = "forkserver" if workers and os.name == "posix" else None
        if context:  # what every worker imports is imported once, by the server that they are forked from
            multiprocessing.set_forkserver_preload([self._preload, __name__])
        start = partial(_start_worker, rank=self._place()[0])
        of_workers = {"collate_fn": to_main_process, "worker_init_fn": start}
        return (of_workers if workers else {}) | {
            "num_workers": workers,
            "pin_memory": on_gpu,
            "persistent_workers": workers > 0,
            "multiprocessing_context": context,
        }
