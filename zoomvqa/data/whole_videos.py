"""The data set of whole validation videos, whatever is looked at of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor
from torch.utils.data import Dataset

from zoomvqa.data.batch import UnreadVideo
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import VideoError

T = TypeVar("T")


class WholeVideoSet(Dataset, ABC, Generic[T]):
    """Whole videos; an index is a video's number. One that cannot be read any more says so in its place.

    Subclasses write `read`.

    Args:
        videos: the videos of a split.
    """

    def __init__(self, videos: Sequence[LabelledVideo]) -> None:
        self._videos = videos

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, index: int) -> T | UnreadVideo:
        video = self._videos[index]
        mos, number = torch.tensor(video.mos, dtype=torch.float32), torch.tensor(index)
        try:
            return self.read(video, mos, number)
        except VideoError as error:
            return UnreadVideo(mos, number, (f"{video.name}: {error}",))

    @abstractmethod
    def read(self, video: LabelledVideo, mos: Tensor, index: Tensor) -> T:
        """Return what is looked at of a video.

        Args:
            video: the video.
            mos: () float32.
            index: () int64, its number.

        Raises:
            VideoError: it cannot be read.
        """
