"""Fine-tuning both branches through the fusion, as a LightningModule."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoomvqa.data.batch import PairBatch, VideoPair
from zoomvqa.data.fragments import normalise
from zoomvqa.models.fusion.net import FusionNet, score_video
from zoomvqa.settings.shared import LossSettings, Optimiser
from zoomvqa.settings.vqa import ClipView
from zoomvqa.training.branch_module import BranchModule


class FusionModule(BranchModule):
    """Trains a `FusionNet` on parts of videos and validates it on whole ones.

    Args:
        net: both branches.
        view: how the VQA branch's pictures are normalised.
        loss: of the fused score, in MOS units.
        optimiser: rates and schedule.
        description: see `BranchModule`.
    """

    net: FusionNet

    def __init__(
        self, net: FusionNet, view: ClipView, loss: LossSettings, optimiser: Optimiser, description: dict[str, Any]
    ) -> None:
        super().__init__(net, loss, optimiser, description)
        self._view = view

    def training_step(self, batch: PairBatch, _: int) -> Tensor:
        """Return the loss of the fused scores of a batch of videos."""
        scores = self.net(batch.views, normalise(batch.clips, self._view))
        loss = self.loss(scores.score.float(), batch.mos)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.mos))
        return loss

    def score(self, net: nn.Module, batch: VideoPair) -> Tensor:
        """Score one video, as scoring its file does."""
        return score_video(net, batch.views, [normalise(clip, self._view) for clip in batch.clips])  # type: ignore[arg-type]
