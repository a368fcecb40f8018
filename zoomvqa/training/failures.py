"""Videos that fail midway: named once, counted over all processes, and too many of them end the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from zoomvqa.console import console, say
from zoomvqa.data.batch import UnreadVideo
from zoomvqa.errors import TrainingError


class FailedVideos(Callback):
    """Names the videos that cannot be read any more, and ends the run when there are too many.

    With several processes that is decided at the end of an epoch, by all of them together: none is left waiting.

    Args:
        most: how many may fail.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._failed: dict[str, str] = {}

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Name what is new in training.

        Raises:
            TrainingError: there are too many, in a run of one process.
        """
        self._note(batch.failed, "another stands in", trainer)

    def on_validation_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: Any,  # noqa: ARG002
        batch: Any,
        *_: Any,
    ) -> None:
        """Name what is new in validation.

        Raises:
            TrainingError: there are too many, in a run of one process.
        """
        if isinstance(batch, UnreadVideo):
            self._note(batch.failed, "validation goes on without it", trainer)

    def _note(self, failed: Sequence[str], then: str, trainer: lightning.Trainer) -> None:
        for told in failed:
            name, _, reason = told.partition(": ")
            if name not in self._failed:
                self._failed[name] = reason
                console.print(f"cannot be read any more, {then}: {told}", markup=False)
        if trainer.world_size == 1:
            self._refuse_too_many(self._failed)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Count over all processes.

        Raises:
            TrainingError: there are too many; all processes raise it.
        """
        if trainer.world_size > 1:
            gathered: list[dict[str, str]] = [{} for _ in range(trainer.world_size)]
            torch.distributed.all_gather_object(gathered, self._failed)
            self._failed = {name: reason for part in gathered for name, reason in part.items()}
            self._refuse_too_many(self._failed)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Say how many there were."""
        if self._failed:
            say(f"{len(self._failed)} videos could not be read: {', '.join(sorted(self._failed))}")

    def _refuse_too_many(self, failed: dict[str, str]) -> None:
        if len(failed) > self._most:
            lines = "\n  ".join(f"{name}: {reason}" for name, reason in sorted(failed.items()))
            raise TrainingError(
                f"{len(failed)} videos failed, more than data.max_failures={self._most}:\n  {lines}"
            )
