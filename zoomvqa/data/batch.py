"""What the loaders hand to the networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import torch
from torch import Tensor
from typing_extensions import Self

from zoomvqa.data.labelled_set import LabelledVideo

B = TypeVar("B", bound="_Movable")


class _Movable:
    """Moves every tensor of a dataclass, which is how Lightning brings a batch to its device."""

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return the batch with its tensors on another device or of another dtype; see `Tensor.to`."""
        return type(self)(**{k: v.to(*args, **kwargs) if isinstance(v, Tensor) else v for k, v in self._items()})

    def pin_memory(self) -> Self:
        """Return the batch in page-locked memory."""
        return type(self)(**{k: v.pin_memory() if isinstance(v, Tensor) else v for k, v in self._items()})

    def _items(self) -> list[tuple[str, Any]]:
        return [(f.name, getattr(self, f.name)) for f in fields(self)]  # type: ignore[arg-type]


@dataclass(frozen=True)
class FrameBatch(_Movable):
    """Frames of several videos, for training.

    Attributes:
        views: (batch, 3, crop, crop) float32, normalised.
        mos: (batch,) float32, each frame labelled with its video's MOS.
        failed: training videos that others stand in for, named once by each process that read them.
        sets: (batch,) int64, the number of the set that each is from; None where there is one set.
    """

    views: Tensor
    mos: Tensor
    failed: tuple[str, ...] = ()
    sets: Tensor | None = None

    def __post_init__(self) -> None:
        if self.views.ndim != 4 or self.views.shape[1] != 3:
            raise ValueError(f"views: expected (batch, 3, crop, crop), got {tuple(self.views.shape)}")
        if self.mos.shape != self.views.shape[:1]:
            raise ValueError(f"mos: expected ({self.views.shape[0]},), got {tuple(self.mos.shape)}")


@dataclass(frozen=True)
class VideoFrameViews(_Movable):
    """All frames of one video, for validation.

    Attributes:
        views: (frames, crops, 3, crop, crop) float32, normalised.
        mos: () float32.
        index: () int64, the video's number within its split: what a score is gathered by.
    """

    views: Tensor
    mos: Tensor
    index: Tensor

    def __post_init__(self) -> None:
        if self.views.ndim != 5 or self.views.shape[2] != 3:
            raise ValueError(f"views: expected (frames, crops, 3, crop, crop), got {tuple(self.views.shape)}")
        _check_label(self.mos, self.index)


@dataclass(frozen=True)
class ClipBatch(_Movable):
    """Clips of several videos, for training.

    Attributes:
        clips: (batch, clips, frames, size, size, 3) uint8 pictures; they are normalised where they are scored.
        mos: (batch,) float32.
        failed: training videos that others stand in for, named once by each process that read them.
        sets: (batch,) int64, the number of the set that each is from; None where there is one set.
    """

    clips: Tensor
    mos: Tensor
    failed: tuple[str, ...] = ()
    sets: Tensor | None = None

    def __post_init__(self) -> None:
        _check_pictures(self.clips, "batch, clips, frames, size, size, 3")
        if self.mos.shape != self.clips.shape[:1]:
            raise ValueError(f"mos: expected ({self.clips.shape[0]},), got {tuple(self.mos.shape)}")


@dataclass(frozen=True)
class VideoClips(_Movable):
    """The test clips of one video, for validation.

    Attributes:
        clips: (clips, frames, size, size, 3) uint8 pictures.
        mos: () float32.
        index: () int64, the video's number within its split: what a score is gathered by.
    """

    clips: Tensor
    mos: Tensor
    index: Tensor

    def __post_init__(self) -> None:
        _check_pictures(self.clips, "clips, frames, size, size, 3")
        _check_label(self.mos, self.index)


@dataclass(frozen=True)
class PairBatch(_Movable):
    """Frames and clips of several videos, to train both branches at once.

    Attributes:
        views: (batch, frames, 3, crop, crop) float32, normalised.
        clips: (batch, clips, frames, size, size, 3) uint8 pictures.
        mos: (batch,) float32.
        failed: training videos that others stand in for, named once by each process that read them.
        sets: (batch,) int64, the number of the set that each is from; None where there is one set.
    """

    views: Tensor
    clips: Tensor
    mos: Tensor
    failed: tuple[str, ...] = ()
    sets: Tensor | None = None

    def __post_init__(self) -> None:
        if self.views.ndim != 5 or self.views.shape[2] != 3:
            raise ValueError(f"views: expected (batch, frames, 3, crop, crop), got {tuple(self.views.shape)}")
        _check_pictures(self.clips, "batch, clips, frames, size, size, 3")
        if not self.mos.shape == self.views.shape[:1] == self.clips.shape[:1]:
            raise ValueError(f"mos: expected ({self.views.shape[0]},), got {tuple(self.mos.shape)}")


@dataclass(frozen=True)
class VideoPair(_Movable):
    """All frames and the test clips of one video, for validation.

    Attributes:
        views: (frames, crops, 3, crop, crop) float32, normalised.
        clips: (clips, frames, size, size, 3) uint8 pictures.
        mos: () float32.
        index: () int64, the video's number within its split: what a score is gathered by.
    """

    views: Tensor
    clips: Tensor
    mos: Tensor
    index: Tensor

    def __post_init__(self) -> None:
        if self.views.ndim != 5 or self.views.shape[2] != 3:
            raise ValueError(f"views: expected (frames, crops, 3, crop, crop), got {tuple(self.views.shape)}")
        _check_pictures(self.clips, "clips, frames, size, size, 3")
        _check_label(self.mos, self.index)


@dataclass(frozen=True)
class UnreadVideo(_Movable):
    """In the place of a validation video that cannot be read any more.

    Attributes:
        mos: () float32.
        index: () int64, the video's number within its split.
        failed: its name and the reason.
    """

    mos: Tensor
    index: Tensor
    failed: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_label(self.mos, self.index)


def labels_of(videos: Sequence[LabelledVideo]) -> tuple[Tensor, Tensor]:
    """Return the MOS of some videos, float32, and the numbers of their sets, int64, one each."""
    return torch.tensor([v.mos for v in videos], dtype=torch.float32), torch.tensor([v.set for v in videos])


def _check_pictures(clips: Tensor, axes: str) -> None:
    if clips.ndim != len(axes.split()) or clips.shape[-1] != 3 or clips.dtype != torch.uint8:
        raise ValueError(f"clips: expected ({axes}) uint8, got {tuple(clips.shape)} {clips.dtype}")


def _check_label(mos: Tensor, index: Tensor) -> None:
    if mos.ndim or index.ndim or index.dtype != torch.int64:
        raise ValueError("mos and index: expected scalars, index int64")
