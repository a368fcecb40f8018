"""What the datamodules of all branches share: this process's place, worker processes."""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

import lightning
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from zoomvqa.data.labelled_set import LabelledSet


class BranchDataModule(lightning.LightningDataModule):
    """Loaders over a labelled set; subclasses say what a batch is.

    Args:
        labelled: the set.
        workers: worker processes of a loader.
        preload: module that a worker imports, imported once for all of them.

    Attributes:
        train_videos: of the training split.
        val_videos: of the validation split.
    """

    def __init__(self, labelled: LabelledSet, workers: int, preload: str) -> None:
        super().__init__()
        self.train_videos = labelled.part("train")
        self.val_videos = labelled.part("val")
        self._num_workers, self._preload = workers, preload

    def _place(self) -> tuple[int, int]:
        """Return this process's rank and the number of processes."""
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)

    def _loader_of_batches(self, batches: Dataset, order: Any) -> DataLoader:
        return DataLoader(batches, sampler=order, batch_size=None, **self._workers())

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
            multiprocessing.set_forkserver_preload([self._preload])
        return {
            "num_workers": workers,
            "pin_memory": on_gpu,
            "persistent_workers": workers > 0,
            "multiprocessing_context": context,
        }
