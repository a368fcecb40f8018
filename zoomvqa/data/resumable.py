"""A loader that a stopped run can go on with in the middle of an epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from torch.utils.data import DataLoader, Sampler

from zoomvqa.internals.lightning_private import batches_done

T = TypeVar("T")


class ResumableOrder(Sampler[T], ABC):
    """An order of batches that can begin later: only the next time that it is gone through.

    Subclasses write `batches`, all of an epoch.
    """

    _epoch = 0
    _skipped = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; Lightning calls this."""
        self._epoch = epoch

    def skip(self, batches: int) -> None:
        """Leave out so many batches the next time."""
        self._skipped = batches

    @abstractmethod
    def batches(self) -> Iterable[T]:
        """Return the batches of the epoch that was set."""

    def __iter__(self) -> Iterator[T]:
        skipped, self._skipped = self._skipped, 0
        for number, batch in enumerate(self.batches()):
            if number >= skipped:
                yield batch


class ResumableLoader(DataLoader):
    """A loader whose state is how many batches of the epoch were trained on; Lightning keeps it in checkpoints.

    Args:
        trainer: whose progress that is.
        order: of the batches.
        arguments: of `DataLoader`.
    """

    def __init__(self, trainer: Any, order: ResumableOrder, **arguments: Any) -> None:
        super().__init__(sampler=order, batch_size=None, **arguments)
        self._order, self._trainer = order, trainer

    def state_dict(self) -> dict[str, int]:
        """Return the epoch, and how many batches of it were trained on; at its end that is the next, and none."""
        if self._trainer is None:
            return {"epoch": 0, "batches": 0}
        epoch = self._trainer.current_epoch
        done = batches_done(self._trainer)
        return {"epoch": epoch + 1, "batches": 0} if done >= len(self) else {"epoch": epoch, "batches": done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Begin behind what was trained on. Workers ask for batches before Lightning has set the epoch."""
        self._order.set_epoch(state["epoch"])
        self._order.skip(state["batches"])
