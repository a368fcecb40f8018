"""Training of the IQA branch as a LightningModule."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor

from zoomvqa.data.batch import FrameBatch, VideoFrameViews
from zoomvqa.losses import build_loss
from zoomvqa.metrics import Figures, VideoScores
from zoomvqa.models.iqa.net import IQANet, score_views
from zoomvqa.settings.branch import LossSettings, Mixing, Optimiser
from zoomvqa.training.mixing import mix
from zoomvqa.training.schedule import build_optimiser


class IQAModule(lightning.LightningModule):
    """Trains an `IQANet` on single frames and validates it on whole videos.

    Args:
        net: the network.
        loss: the training loss.
        mixing: mixup and cutmix.
        optimiser: rates and schedule.
        description: what a checkpoint says of itself, plain data; see `zoomvqa.checkpoints`.

    Attributes:
        figures: of the last validation.
        table: (numbers, predictions, MOS) of the last validation, equal on all processes.
    """

    def __init__(
        self, net: IQANet, loss: LossSettings, mixing: Mixing, optimiser: Optimiser, description: dict[str, Any]
    ) -> None:
        super().__init__()
        self.net = net
        self.description = description
        self.figures: Figures | None = None
        self.table: tuple[Tensor, Tensor, Tensor] | None = None
        self._loss = build_loss(loss)
        self._mixing, self._optimiser = mixing, optimiser
        self._scores = VideoScores()

    def training_step(self, batch: FrameBatch, _: int) -> Tensor:
        """Return the loss of a batch of frames."""
        mixed = mix(batch.views, self._mixing)
        if mixed is None:
            loss = self._loss(self.net(batch.views).score.float(), batch.mos)
        else:
            score = self.net(mixed.views).score.float()
            own, other = self._loss(score, batch.mos), self._loss(score, batch.mos[mixed.partner])
            loss = mixed.share * own + (1 - mixed.share) * other
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.mos))
        return loss

    def validation_step(self, batch: VideoFrameViews, _: int) -> None:
        """Score one video: the mean over its frames."""
        score = score_views(self.net, batch.views).mean()
        self._scores.update(batch.index, score, batch.mos)

    def on_validation_epoch_end(self) -> None:
        """Gather the scores of all processes and log the figures."""
        self.figures, self.table = self._scores.compute()
        self._scores.reset()
        values = {
            name: float(getattr(self.figures, name)) for name in ("srcc", "plcc", "krcc", "rmse", "selection")
        }
        shown = {f"val/{name}": torch.tensor(value) for name, value in values.items()}
        # Every process has the same figures, so there is nothing to reduce.
        self.log_dict(shown, prog_bar=True, sync_dist=False, rank_zero_only=False)

    def configure_optimizers(self) -> Any:
        """Return AdamW and a schedule stepped every iteration."""
        total = int(self.trainer.estimated_stepping_batches)
        optimiser, schedule = build_optimiser(self.net, self._optimiser, total, self.trainer.max_epochs or 1)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write the description into the checkpoint, with the figures it was saved at."""
        figures = self.figures._asdict() if self.figures else {}
        checkpoint["zoomvqa"] = self.description | {"epoch": self.current_epoch, "figures": figures}
