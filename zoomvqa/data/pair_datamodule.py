"""The datamodule of the fusion: a labelled set as loaders of videos for both branches."""

from __future__ import annotations

from typing import Any

from torch.utils.data import DataLoader

from zoomvqa.data.branch_datamodule import BranchDataModule
from zoomvqa.data.clip_order import ClipBatches
from zoomvqa.data.clip_source import ClipTaker
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.opening import open_all
from zoomvqa.data.pair_dataset import PairSampling, TrainPairs, WholePairs
from zoomvqa.settings.fusion import PairLoading


class PairDataModule(BranchDataModule):
    """Loaders of frames and clips of the same videos.

    Args:
        labelled: the set.
        sampling: what both branches look at.
        loading: batches and workers.
        seed: of the order and of what is drawn.
    """

    def __init__(self, labelled: LabelledSet, sampling: PairSampling, loading: PairLoading, seed: int = 0) -> None:
        super().__init__(labelled, None, loading.workers, "zoomvqa.data.pair_dataset")
        self._sampling, self._loading, self._seed = sampling, loading, seed
        self._opened = False

    def setup(self, stage: str) -> None:  # noqa: ARG002  Lightning's signature
        """Open every video once, so that what is no video is named before training.

        Raises:
            AnnotationError: some cannot be read; all of them are listed.
            SettingsError: the batch does not divide by the processes.
        """
        self._refuse_uneven(self._loading.batch_size)
        if not self._opened:
            open_all([*self.train_videos, *self.val_videos], self._open)
        self._opened = True

    def train_dataloader(self) -> DataLoader:
        """Return the loader of random frames and clips of this process's share."""
        order = ClipBatches(len(self.train_videos), self._loading.batch_size, self._seed, *self._place())
        return self._loader_of_batches(TrainPairs(self.train_videos, self._sampling, self._loading.frames), order)

    def val_dataloader(self) -> DataLoader:
        """Return the loader of whole validation videos."""
        return self._loader_of_videos(WholePairs(self.val_videos, self._sampling))

    def _facts(self, video: LabelledVideo) -> tuple[Any, ...]:
        raise AssertionError(f"{video.name}: nothing is cached here")

    def _open(self, video: LabelledVideo) -> None:
        about = self._sampling
        ClipTaker(about.open(video).timeline, about.clips, about.clip_view, about.clips.test_clips)
