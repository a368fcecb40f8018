"""The fragments datamodule: a labelled set as loaders of clips."""

from __future__ import annotations

from torch.utils.data import DataLoader

from zoomvqa.data.branch_datamodule import BranchDataModule
from zoomvqa.data.clip_dataset import TrainClips, WholeVideoClips
from zoomvqa.data.clip_order import ClipBatches
from zoomvqa.data.clip_source import ClipSource
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.opening import open_all
from zoomvqa.errors import SettingsError
from zoomvqa.settings.vqa import ClipLoading, ClipSampling, ClipView
from zoomvqa.video.reader import ReaderName


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
        super().__init__(labelled, loading.workers, "zoomvqa.data.clip_dataset")
        self._sampling, self._view, self._loading = sampling, view, loading
        self._reader, self._seed = reader, seed
        self._opened = False

    def setup(self, stage: str) -> None:  # noqa: ARG002  Lightning's signature
        """Open every video once, so that what is no video is named before training."""
        _, world = self._place()
        if self._loading.batch_size % world:
            raise SettingsError(
                f"branch.loading.batch_size: got {self._loading.batch_size}, expected a multiple of the "
                f"{world} processes that share it"
            )
        if not self._opened:
            open_all([*self.train_videos, *self.val_videos], self._open)
        self._opened = True

    def train_dataloader(self) -> DataLoader:
        """Return the loader of random clips of this process's share."""
        order = ClipBatches(len(self.train_videos), self._loading.batch_size, self._seed, *self._place())
        return self._loader_of_batches(
            TrainClips(self.train_videos, self._sampling, self._view, self._reader), order
        )

    def val_dataloader(self) -> DataLoader:
        """Return the loader of the test clips of validation videos."""
        return self._loader_of_videos(WholeVideoClips(self.val_videos, self._sampling, self._view, self._reader))

    def _open(self, video: LabelledVideo) -> None:
        ClipSource(video.path, self._sampling, self._view, self._sampling.test_clips, self._reader)
