"""Training of the IQA branch as a LightningModule."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoomvqa.data.batch import FrameBatch, VideoFrameViews
from zoomvqa.models.iqa.net import IQANet, score_views
from zoomvqa.settings.iqa import Mixing
from zoomvqa.settings.shared import LossSettings, Optimiser
from zoomvqa.training.branch_module import BranchModule
from zoomvqa.training.mixing import mix


class IQAModule(BranchModule):
    """Trains an `IQANet` on single frames and validates it on whole videos.

    Args:
        net: the network.
        loss: the training loss.
        mixing: mixup and cutmix.
        optimiser: rates and schedule.
        description: see `BranchModule`.
    """

    net: IQANet

    def __init__(
        self, net: IQANet, loss: LossSettings, mixing: Mixing, optimiser: Optimiser, description: dict[str, Any]
    ) -> None:
        super().__init__(net, loss, optimiser, description)
        self._mixing = mixing

    def training_step(self, batch: FrameBatch, _: int) -> Tensor:
        """Return the loss of a batch of frames."""
        mixed = mix(batch.views, self._mixing, batch.sets if self.joined else None)
        if mixed is None:
            loss = self.batch_loss(self.net(batch.views).score.float(), batch.mos, batch.sets)
        else:
            score = self.net(mixed.views).score.float()
            own = self.batch_loss(score, batch.mos, batch.sets)
            other = self.batch_loss(score, batch.mos[mixed.partner], batch.sets)
            loss = mixed.share * own + (1 - mixed.share) * other
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.mos))
        return loss

    def constant_cause(self, value: float) -> str:
        """Return the likely cause; a score of 0 is what the last ReLU makes of all that is negative."""
        if value == 0.0:
            return "the last ReLU of the scores gets negative values alone, and passes no gradient"
        return super().constant_cause(value)

    def example(self) -> tuple[Tensor, ...]:
        """Return one view of a frame."""
        crop = self.description["view"]["crop"]
        return (torch.zeros(1, 3, crop, crop),)

    def head_features(self, batch: VideoFrameViews) -> Tensor:
        """Return what the last layer is given of a video, (hidden,): the mean over its frames."""
        crops = batch.views.flatten(0, 1)
        return torch.cat([self.net.head_features(some) for some in crops.split(4)]).mean(dim=0)

    def score(self, net: nn.Module, batch: VideoFrameViews) -> Tensor:
        """Score one video: the mean over its frames."""
        return score_views(net, batch.views).mean()
