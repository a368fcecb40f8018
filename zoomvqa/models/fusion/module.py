"""Fine-tuning both branches through the fusion, as a LightningModule."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoomvqa.calibration import FusionScale, fit_logistic
from zoomvqa.data.batch import PairBatch, VideoPair
from zoomvqa.data.normalise import normalise
from zoomvqa.metrics import VideoScores
from zoomvqa.models.fusion.net import FusionNet, score_video
from zoomvqa.settings.shared import LossSettings, Optimiser
from zoomvqa.settings.vqa import ClipView
from zoomvqa.training.branch_module import BranchModule


class FusionModule(BranchModule):
    """Trains a `FusionNet` on parts of videos and validates it on whole ones.

    How the branches are joined stays as it was calibrated: it is what they are trained through. What brings each
    branch's own score to MOS units is fitted anew on every validation, for the branches have changed.

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
        self._own = nn.ModuleDict(
            {f"{name}_{branch}": VideoScores() for name in self.candidates() for branch in ("iqa", "vqa")}
        )

    def training_step(self, batch: PairBatch, _: int) -> Tensor:
        """Return the loss of the fused scores of a batch of videos."""
        scores = self.net(batch.views, normalise(batch.clips, self._view))
        loss = self.batch_loss(scores.score.float(), batch.mos, batch.sets)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.mos))
        return loss

    def example(self) -> tuple[Tensor, ...]:
        """Return one frame and one clip."""
        crop, frames = self.description["iqa"]["view"]["crop"], self.description["vqa"]["sampling"]["clip_len"]
        size = self._view.size
        return torch.zeros(1, 1, 3, crop, crop), torch.zeros(1, 1, 3, frames, size, size)

    def score(self, net: nn.Module, batch: VideoPair) -> Tensor:
        """Score one video, as scoring its file does."""
        assert isinstance(net, FusionNet)  # noqa: S101  both candidates are
        found = score_video(net, batch.views, [normalise(clip, self._view) for clip in batch.clips])
        name = "net" if net is self.net else "averaged"
        for branch, value in (("iqa", found.iqa), ("vqa", found.vqa)):
            scores = self._own[f"{name}_{branch}"]
            scores.update(batch.index, value.to(batch.mos.device), batch.mos)  # type: ignore[operator]
        return found.score.to(batch.mos.device, torch.float32)

    def on_validation_epoch_end(self) -> None:
        """Log the figures, and fit what brings the branches' own scores to MOS units."""
        super().on_validation_epoch_end()
        tables = {}
        for name, scores in self._own.items():
            tables[name] = scores.compute()[1]  # type: ignore[operator]
            scores.reset()  # type: ignore[operator]
        low, high = self.description["mos_range"]
        scale: dict[str, Any] = dict(self.net.scale.model_dump())
        for branch in ("iqa", "vqa"):
            _, score, mos = (column.reshape(-1).double().numpy() for column in tables[f"{self.better}_{branch}"])
            found = fit_logistic(np.asarray(score), np.asarray(mos), (low, high))
            if found is not None:
                scale[branch] = scale[branch] | {"logistic": found.model_dump()}
        self.description["scale"] = FusionScale.model_validate(scale).model_dump(mode="json")
