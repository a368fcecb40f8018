"""What a source of training samples is: what is kept of videos, the order of an epoch, the samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from torch.utils.data import Dataset

from zoomvqa.data.batch import Batch, VideoBatch
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.resumable import ResumableOrder


class Samples(NamedTuple):
    """The training samples of an epoch.

    Attributes:
        batches: from the keys of a batch to the batch.
        order: the keys of the batches of this process.
    """

    batches: Dataset[Batch]
    order: ResumableOrder[Any]


class TrainingSource(ABC):
    """Where training samples come from.

    Attributes:
        module: that worker processes import for it.
        shared_batch: the size of a batch that all processes share; None where each has its own.
    """

    module: str
    shared_batch: int | None = None

    @abstractmethod
    def prepare(self, videos: Sequence[LabelledVideo]) -> None:
        """Fill the cache, on one process; entries that are there already are kept.

        Raises:
            AnnotationError: some videos cannot be read; all of them are listed.
        """

    @abstractmethod
    def open(self, video: LabelledVideo) -> int:
        """Look a training video up in the cache, or open it, and return how many parts it has.

        Raises:
            VideoError: it is not cached, and cannot be opened.
        """

    @abstractmethod
    def samples(self, videos: Sequence[LabelledVideo], counts: Sequence[int], rank: int, world: int) -> Samples:
        """Return the samples of a process.

        Args:
            videos: of the training split.
            counts: what `open` has returned of each.
            rank: of the process.
            world: number of processes.
        """

    @abstractmethod
    def some_parts(self, video: LabelledVideo) -> VideoBatch:
        """Return a few parts of a training video, as training has them, to be looked at outside of a training.

        Raises:
            VideoError: it is not cached, and cannot be read.
        """
