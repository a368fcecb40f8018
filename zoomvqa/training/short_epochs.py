"""`trainer.limit_train_batches`: epochs of fewer batches, which schedule and resume count with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.errors import SettingsError


class ShortEpochs:
    """The first batches of every epoch of a loader; each epoch draws its own order.

    Lightning's own limit stops an epoch before the loader's end: the learning rate would follow whole epochs, and
    a checkpoint at the end of an epoch would say that the loader is in the middle of it.

    Args:
        loader: that a stopped run can go on with, see `zoomvqa.data.resumable`.
        batches: how many of an epoch.
        trainer: whose progress counts.
    """

    def __init__(self, loader: Any, batches: int, trainer: Any) -> None:
        self._loader, self._batches, self._trainer = loader, batches, trainer
        self._skipped = 0

    @property
    def sampler(self) -> Any:
        """The order of the batches; Lightning tells it the epoch."""
        return self._loader.sampler

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[Any]:
        skipped, self._skipped = self._skipped, 0
        return islice(iter(self._loader), self._batches - skipped)

    def state_dict(self) -> dict[str, int]:
        """Return the epoch, and how many batches of it were trained on; at its end that is the next, and none."""
        epoch = self._trainer.current_epoch
        done = self._trainer.fit_loop.epoch_loop.batch_progress.current.ready
        return {"epoch": epoch + 1, "batches": 0} if done >= len(self) else {"epoch": epoch, "batches": done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Begin behind what was trained on."""
        self._skipped = state["batches"]
        self._loader.load_state_dict(state)


def shorten_epochs(data: VideoDataModule, limit: float | None) -> None:
    """Have a datamodule's training epochs end early.

    Args:
        data: the datamodule.
        limit: a number of batches, or a share of them as a float up to 1.0; None for all.
    """
    if limit is None:
        return
    whole = data.train_dataloader

    def short() -> ShortEpochs:
        loader = whole()
        there = len(loader)
        batches = min(limit, there) if isinstance(limit, int) else int(there * limit)
        if batches < 1:
            raise SettingsError(
                f"trainer.limit_train_batches: got {limit}, expected a larger share: an epoch has {there} batches"
            )
        return ShortEpochs(loader, batches, data.trainer)

    # Lightning asks the datamodule by this name, and so does whoever counts steps.
    data.train_dataloader = short  # type: ignore[method-assign,assignment]
