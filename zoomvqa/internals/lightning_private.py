"""What of Lightning's trainer is used that its documentation does not speak of. It is not imported here."""

from __future__ import annotations

import math
from typing import Any


def batches_done(trainer: Any) -> int:
    """Return how many batches of the running epoch were begun.

    Without the loops' own counter it is counted from the optimizer's steps. That is the same wherever a
    checkpoint is saved: behind a step, or at the end of an epoch.

    Args:
        trainer: a `lightning.Trainer` that trains, with one optimizer.
    """
    loops = ("fit_loop", "epoch_loop", "batch_progress", "current", "ready")
    found: Any = trainer
    for name in loops:
        found = getattr(found, name, None)
    if isinstance(found, int):
        return found
    batches, together = int(trainer.num_training_batches), int(trainer.accumulate_grad_batches)
    steps = trainer.global_step - trainer.current_epoch * math.ceil(batches / together)
    return min(batches, steps * together)


def was_interrupted(trainer: Any) -> bool:
    """Tell whether Lightning left a training because of Ctrl-C; it then raises SystemExit.

    Without its own mark a SystemExit is taken for what it is, and ends the command with its code.
    """
    return bool(getattr(trainer, "interrupted", False))
