"""What the loaders hand to the networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from zoomvqa.data.labelled_set import LabelledVideo

# What parts of videos look like to branches, by the branches' names.
Inputs = dict[str, Tensor]


class _Movable:
    """Moves every tensor of a dataclass, which is how Lightning brings a batch to its device."""

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return the batch with its tensors on another device or of another dtype; see `Tensor.to`."""
        return self.changed(lambda tensor: tensor.to(*args, **kwargs))

    def pin_memory(self) -> Self:
        """Return the batch in page-locked memory."""
        return self.changed(Tensor.pin_memory)

    def changed(self, change: Callable[[Tensor], Any]) -> Self:
        """Return the batch with something else in the place of each tensor, also of those in dicts."""
        return type(self)(**{f.name: _changed(getattr(self, f.name), change) for f in fields(self)})  # type: ignore[arg-type]


def _changed(value: Any, change: Callable[[Tensor], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _changed(inner, change) for name, inner in value.items()}
    return change(value) if isinstance(value, Tensor) else value


@dataclass(frozen=True)
class Batch(_Movable):
    """Parts of several videos, for training.

    Attributes:
        inputs: by branch: (batch, parts, frames, …), as the branch's view cuts frames.
        mos: (batch,) float32; a single frame is labelled with its video's MOS.
        failed: training videos that others stand in for, named once by each process that read them.
        sets: (batch,) int64, the number of the set that each is from; None where there is one set.
    """

    inputs: Inputs
    mos: Tensor
    failed: tuple[str, ...] = ()
    sets: Tensor | None = None

    def __post_init__(self) -> None:
        for name, parts in self.inputs.items():
            if parts.ndim < 4 or len(parts) != len(self.mos):
                raise ValueError(
                    f"{name}: expected ({len(self.mos)}, parts, frames, …), got {tuple(parts.shape)} beside "
                    f"{len(self.mos)} MOS"
                )


@dataclass(frozen=True)
class VideoBatch(_Movable):
    """All parts of one video that branches look at, for validation.

    Attributes:
        inputs: by branch: (parts, frames, …), as the branch's view cuts frames.
        mos: () float32.
        index: () int64, the video's number within its split: what a score is gathered by.
    """

    inputs: Inputs
    mos: Tensor
    index: Tensor

    def __post_init__(self) -> None:
        for name, parts in self.inputs.items():
            if parts.ndim < 3:
                raise ValueError(f"{name}: expected (parts, frames, …), got {tuple(parts.shape)}")
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


def _check_label(mos: Tensor, index: Tensor) -> None:
    if mos.ndim or index.ndim or index.dtype != torch.int64:
        raise ValueError("mos and index: expected scalars, index int64")
