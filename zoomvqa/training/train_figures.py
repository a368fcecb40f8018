"""Figures of training itself: SRCC and PLCC of an epoch's training batches, and the norm of the gradient."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
import torch.distributed
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from zoomvqa.metrics import figures_of


class TrainFigures(Callback):
    """Logs `train/srcc` and `train/plcc` after each epoch, and `train/grad_norm` at each step.

    The figures are of the predictions that the batches' losses were computed from, so they cost nothing more: of
    single frames or clips, with dropout, by weights that change over the epoch. With mixing they are against each
    sample's own MOS. In an epoch that a stopped run goes on with, they are of the batches that were left.
    """

    def __init__(self) -> None:
        self._found: list[tuple[Tensor, Tensor]] = []

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Begin anew."""
        self._found.clear()

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:  # noqa: ARG002
        """Have the module keep what it predicts."""
        pl_module.predicted = []

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:  # noqa: ARG002
        """Take the batch's predictions; a mixed batch has two losses of the same predictions."""
        self._found += pl_module.predicted[:1]
        pl_module.predicted = None

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Log the correlations of the epoch, over all processes; none where they are not defined."""
        pairs = [torch.stack([p.float(), y.float()]).cpu() for p, y in self._found]
        self._found.clear()
        if trainer.world_size > 1:
            gathered: list[Any] = [None] * trainer.world_size
            torch.distributed.all_gather_object(gathered, pairs)
            pairs = [pair for part in gathered for pair in part]
        if not pairs:
            return
        prediction, mos = torch.cat(pairs, dim=1)
        if not (prediction.isfinite().all() and mos.isfinite().all()):
            return
        figures = figures_of(prediction, mos)
        values = {"srcc": figures.srcc, "plcc": figures.plcc}
        pl_module.log_dict({f"train/{name}": torch.tensor(v) for name, v in values.items() if math.isfinite(v)})

    def on_before_optimizer_step(self, trainer: lightning.Trainer, pl_module: Any, optimizer: Any) -> None:  # noqa: ARG002
        """Log the norm of all gradients together, before any clipping."""
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if gradients:
            pl_module.log(
                "train/grad_norm", torch.nn.utils.get_total_norm(gradients), on_step=True, on_epoch=False
            )
