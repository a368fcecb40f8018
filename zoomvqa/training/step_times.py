"""How long steps wait for data and how long they compute, so that a slow disk or decoder is seen."""

from __future__ import annotations

import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from zoomvqa.console import say

# Share of an epoch spent waiting that is worth a word.
_SLOW = 0.1


class StepTimes(Callback):
    """Logs `time/data_wait` and `time/step`, seconds, and says so where an epoch waited for data.

    Waiting is what passes between two steps. On a GPU work goes on while the next batch is fetched, and only what
    the fetching takes longer than that slows training: the time of a whole step, waiting included, tells it.
    """

    def __init__(self) -> None:
        self._mark = 0.0
        self._waited = self._computed = 0.0
        self._told = False

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Start counting; the first batch of an epoch is waited for too."""
        self._waited = self._computed = 0.0
        self._mark = time.perf_counter()

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:  # noqa: ARG002
        """Count what passed since the step before."""
        passed = self._passed()
        self._waited += passed
        pl_module.log("time/data_wait", passed)

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:  # noqa: ARG002
        """Count the step."""
        passed = self._passed()
        self._computed += passed
        pl_module.log("time/step", passed)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Say once what share of an epoch was waiting, where that is much."""
        whole = self._waited + self._computed
        # The first epoch also starts the workers; with a single one there is nothing else to go by.
        first = trainer.current_epoch == 0 and (trainer.max_epochs or 1) > 1
        if first or self._told or whole == 0 or self._waited / whole < _SLOW:
            return
        self._told = True
        say(
            f"{self._waited / whole:.0%} of the time went by waiting for data ({self._waited:.1f} of {whole:.1f} "
            "s an epoch): more branch.loading.workers, or a cache, may help"
        )

    def _passed(self) -> float:
        """Return the seconds since the last call."""
        now = time.perf_counter()
        passed, self._mark = now - self._mark, now
        return passed
