"""The datamodule: a labelled set as loaders of what branches look at."""

from __future__ import annotations

import multiprocessing
import os
from functools import partial
from typing import Any

import lightning
from lightning.fabric.utilities.seed import pl_worker_init_function
from torch.utils.data import DataLoader, DistributedSampler

from zoomvqa.data.batch import VideoBatch
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.opening import open_all
from zoomvqa.data.resumable import ResumableLoader
from zoomvqa.data.training_source import TrainingSource
from zoomvqa.data.transfer import to_main_process
from zoomvqa.data.whole_videos import WholeVideos, check_video
from zoomvqa.errors import SettingsError
from zoomvqa.parent import end_with_parent
from zoomvqa.video.reader import ReaderName
from zoomvqa.views.base import Looks


def _start_worker(number: int, rank: int) -> None:
    """Make a worker ready: it does not outlive the training, and is seeded as Lightning does it."""
    end_with_parent()
    if os.environ.get("PL_SEED_WORKERS") == "1":
        pl_worker_init_function(number, rank)


class VideoDataModule(lightning.LightningDataModule):
    """Loaders over a labelled set: training samples of a source, and whole videos for validation.

    Args:
        labelled: the set.
        looks: what each branch looks at.
        source: of the training samples.
        workers: worker processes of a loader.
        reader: the decoder.

    Attributes:
        labelled: the set.
        looks: what each branch looks at.
        train_videos: of the training split.
        val_videos: of the validation split.
    """

    def __init__(
        self,
        labelled: LabelledSet,
        looks: Looks,
        source: TrainingSource,
        workers: int,
        reader: ReaderName = "auto",
    ) -> None:
        super().__init__()
        self.labelled, self.looks = labelled, dict(looks)
        self.train_videos = labelled.part("train")
        self.val_videos = labelled.part("val")
        self._source, self._num_workers, self._reader = source, workers, reader
        self._counts: list[int] = []

    def prepare_data(self) -> None:
        """Fill the cache of training videos, on one process.

        Raises:
            AnnotationError: some training videos cannot be read; all of them are listed.
        """
        self._source.prepare(self.train_videos)

    def setup(self, stage: str) -> None:  # noqa: ARG002  Lightning's signature
        """Open every video once, so that what is no video is named before training.

        Raises:
            AnnotationError: some cannot be read; all of them are listed.
            SettingsError: the processes cannot share a batch.
        """
        self._refuse_uneven()
        if not self._counts:
            self._counts = open_all([*self.train_videos, *self.val_videos], self._open)[: len(self.train_videos)]

    def train_dataloader(self) -> DataLoader:
        """Return the loader of this process's share of the training samples."""
        batches, order = self._source.samples(self.train_videos, self._counts, *self._place())
        return ResumableLoader(self.trainer, order, dataset=batches, **self._workers())

    def val_dataloader(self) -> DataLoader:
        """Return the loader of this process's share of whole videos; two processes may see one, none is missed."""
        videos = WholeVideos(self.val_videos, self.looks, self._reader)
        rank, world = self._place()
        sampler: DistributedSampler = DistributedSampler(videos, world, rank, shuffle=False)
        return DataLoader(videos, sampler=sampler, batch_size=None, **self._workers())

    def training_parts(self, video: LabelledVideo) -> VideoBatch:
        """Return a few parts of a training video, as training has them.

        Raises:
            VideoError: it is not cached, and cannot be read.
        """
        return self._source.some_parts(video)

    def _open(self, video: LabelledVideo) -> int:
        if video.split == "train":
            return self._source.open(video)
        return check_video(video.path, self.looks, self._reader)

    def _place(self) -> tuple[int, int]:
        """Return this process's rank and the number of processes."""
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)

    def _refuse_uneven(self) -> None:
        (_, world), batch = self._place(), self._source.shared_batch
        if batch is not None and batch % world:
            raise SettingsError(
                f"branch.loading.batch_size: got {batch}, expected a multiple of the {world} processes that "
                "share it"
            )

    def _workers(self) -> dict[str, Any]:
        workers = self._num_workers
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        # Workers are started anew, not forked: a fork of a process with decoder threads can freeze.
        context = "forkserver" if workers and os.name == "posix" else None
        if context:  # what every worker imports is imported once, by the server that they are forked from
            multiprocessing.set_forkserver_preload([self._source.module, __name__])
        start = partial(_start_worker, rank=self._place()[0])
        of_workers = {"collate_fn": to_main_process, "worker_init_fn": start}
        return (of_workers if workers else {}) | {
            "num_workers": workers,
            "pin_memory": on_gpu,
            "persistent_workers": workers > 0,
            "multiprocessing_context": context,
        }
