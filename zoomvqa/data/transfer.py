"""How batches come from worker processes: through shared memory, or through a pipe where that has no room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoomvqa.console import say

# Where Linux has its shared memory.
_SHARED = "/dev/shm"  # noqa: S108  it is only spoken of
_told = False


class Piped:
    """In the place of a batch whose tensors go through a pipe; what comes out of it is the batch.

    Args:
        batch: a dataclass of tensors, dicts of tensors, and plain data.
    """

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __reduce__(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self.batch, f.name) for f in fields(self.batch)}
        return _rebuilt, (type(self.batch), _each(values, _is_tensor, lambda tensor: tensor.numpy()))


def to_main_process(batch: Any) -> Any:
    """Bring a batch to where the main process gets it from: what a worker does with each.

    torch moves tensors to shared memory in a thread that swallows its errors, so that the main process waits for
    ever where `/dev/shm` is full: a container has 64 MB of it. Here they are moved before, and where there is no
    room, the batch takes the pipe, which is slower.

    Args:
        batch: a dataclass of tensors, dicts of tensors, and plain data.
    """
    try:
        for field in fields(batch):
            _each(getattr(batch, field.name), _is_tensor, Tensor.share_memory_)
    except RuntimeError:
        return Piped(batch)
    return batch


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic)


def _each(value: Any, which: Callable[[Any], bool], change: Callable[[Any], Any]) -> Any:
    """Return a value, or a dict however deep, with those that `which` tells changed."""
    if isinstance(value, dict):
        return {name: _each(inner, which, change) for name, inner in value.items()}
    return change(value) if which(value) else value


def _rebuilt(kind: type, values: dict[str, Any]) -> Any:
    """Return a batch that came through a pipe; the first time that is told."""
    global _told  # noqa: PLW0603  once in a process
    if not _told:
        _told = True
        say(
            f"{_SHARED} has no room for the workers' batches: they come through pipes, which is slower; give it "
            "more (docker run --shm-size=2g), or lower branch.loading.batch_size or branch.loading.workers"
        )
    return kind(**_each(values, _is_array, torch.from_numpy))
