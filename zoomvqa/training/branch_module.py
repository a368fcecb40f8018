"""What the LightningModules of all branches share: video-level figures, optimiser, self-describing checkpoints."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor, nn

from zoomvqa.errors import TrainingError
from zoomvqa.losses import build_loss
from zoomvqa.metrics import Figures, VideoScores
from zoomvqa.settings.branch import LossSettings, Optimiser
from zoomvqa.training.schedule import build_optimiser


class BranchModule(lightning.LightningModule):
    """A network that is trained on parts of videos and validated on whole ones.

    Subclasses write `training_step` and `validation_step`; the latter calls `self.scores.update`.

    Args:
        net: the network.
        loss: the training loss.
        optimiser: rates and schedule.
        description: what a checkpoint says of itself, plain data; see `zoomvqa.checkpoints`.

    Attributes:
        scores: gathers one score per validation video.
        figures: of the last validation.
        table: (numbers, predictions, MOS) of the last validation, equal on all processes.
    """

    def __init__(
        self, net: nn.Module, loss: LossSettings, optimiser: Optimiser, description: dict[str, Any]
    ) -> None:
        super().__init__()
        self.net = net
        self.description = description
        self.scores = VideoScores()
        self.figures: Figures | None = None
        self.table: tuple[Tensor, Tensor, Tensor] | None = None
        self.loss = build_loss(loss)
        self._optimiser = optimiser

    def on_validation_epoch_end(self) -> None:
        """Gather the scores of all processes and log the figures.

        Raises:
            TrainingError: a score is not a number.
        """
        try:
            self.figures, table = self.scores.compute()
        except ValueError as error:
            raise TrainingError(f"training went wrong ({error}); a smaller branch.optimiser.lr may help") from None
        self.scores.reset()
        index, prediction, mos = (column.reshape(-1) for column in table)  # of a single video they are scalars
        self.table = index, prediction, mos
        values = {
            name: float(getattr(self.figures, name)) for name in ("srcc", "plcc", "krcc", "rmse", "selection")
        }
        # Every process has the same figures, so there is nothing to reduce.
        self.log_dict({f"val/{name}": torch.tensor(value) for name, value in values.items()}, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """Return AdamW and a schedule stepped every iteration."""
        total = int(self.trainer.estimated_stepping_batches)
        optimiser, schedule = build_optimiser(self.net, self._optimiser, total, self.trainer.max_epochs or 1)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write the description into the checkpoint, with the figures it was saved at."""
        figures = self.figures._asdict() if self.figures else {}
        checkpoint["zoomvqa"] = self.description | {"epoch": self.current_epoch, "figures": figures}
