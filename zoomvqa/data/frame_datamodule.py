"""The frames datamodule: a labelled set as loaders of frames, cached on disk the first time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import lightning
from torch.utils.data import DataLoader, DistributedSampler

from zoomvqa.console import progress
from zoomvqa.data.frame_cache import FrameCache, fill_cache, summary_of
from zoomvqa.data.frame_dataset import TrainFrames, WholeVideos
from zoomvqa.data.frame_order import FrameBatches
from zoomvqa.data.frame_source import frame_source
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.errors import AnnotationError, VideoError
from zoomvqa.files import cache_folder
from zoomvqa.settings.branch import FrameLoading, FrameSampling, FrameView
from zoomvqa.video.reader import ReaderName


class FrameDataModule(lightning.LightningDataModule):
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
        super().__init__()
        self.train_videos = labelled.part("train")
        self.val_videos = labelled.part("val")
        self._sampling, self._view, self._loading = sampling, view, loading
        self._reader, self._seed = reader, seed
        folder = Path(loading.cache_folder).expanduser() if loading.cache_folder else cache_folder() / "frames"
        self._cache = FrameCache(folder, int(loading.cache_limit_gb * 1e9))
        self._train: TrainFrames | None = None
        self._counts: list[int] = []
        self._grouped = False

    def prepare_data(self) -> None:
        """Fill the cache, on one process; entries that are there already are kept.

        Raises:
            AnnotationError: some training videos cannot be read; all of them are listed.
        """
        if self._loading.cache:
            fill_cache(self._cache, self.train_videos, self._sampling, self._view.resize, self._reader)

    def setup(self, stage: str) -> None:  # noqa: ARG002  Lightning's signature
        """Look up what is cached and count the frames of the rest, on every process."""
        if self._train is not None:
            return
        entries = [self._entry(video) for video in self.train_videos]
        self._counts = _count_frames(self.train_videos, entries, self._sampling, self._reader)
        # Validation videos are decoded in every epoch; one that does not even open is named now.
        _count_frames(self.val_videos, [None] * len(self.val_videos), self._sampling, self._reader)
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
        return DataLoader(self._train, sampler=order, batch_size=None, **self._workers())

    def val_dataloader(self) -> DataLoader:
        """Return the loader of whole validation videos; processes may see a video twice, never miss one."""
        videos = WholeVideos(self.val_videos, self._sampling, self._view, self._reader)
        rank, world = self._place()
        sampler: DistributedSampler = DistributedSampler(videos, world, rank, shuffle=False)
        return DataLoader(videos, sampler=sampler, batch_size=None, **self._workers())

    def _entry(self, video: LabelledVideo) -> Path | None:
        if not self._loading.cache:
            return None
        entry = self._cache.entry(video.path, self._sampling, self._view.resize, self._reader)
        return entry if entry.is_file() else None

    def _place(self) -> tuple[int, int]:
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)

    def _workers(self) -> dict[str, Any]:
        workers = self._loading.workers
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        # Workers are started anew, not forked: a fork of a process with decoder threads can freeze.
        context = "forkserver" if workers and os.name == "posix" else None
        if context:  # what every worker imports is imported once, by the server that they are forked from
            multiprocessing.set_forkserver_preload(["zoomvqa.data.frame_dataset"])
        return {
            "num_workers": workers,
            "pin_memory": on_gpu,
            "persistent_workers": workers > 0,
            "multiprocessing_context": context,
        }


def _count_frames(
    videos: Sequence[LabelledVideo],
    entries: Sequence[Path | None],
    sampling: FrameSampling,
    reader: ReaderName,
) -> list[int]:
    """Return how many frames each video gives; those not cached are opened, which finds what is no video."""

    def count(video: LabelledVideo, entry: Path | None) -> int | VideoError:
        try:
            if entry is not None:
                return len(FrameCache.load(entry))
            return len(frame_source(video.path, sampling, reader).indices)
        except VideoError as error:
            return error

    counts: list[int] = []
    failures: list[tuple[str, str]] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool, progress() as bar:
        found = pool.map(count, videos, entries)
        for video, result in bar.track(
            zip(videos, found, strict=True), total=len(videos), description="Opening videos"
        ):
            if isinstance(result, VideoError):
                failures.append((video.name, str(result)))
            else:
                counts.append(result)
    if failures:
        raise AnnotationError(summary_of(failures, len(videos)))
    return counts
