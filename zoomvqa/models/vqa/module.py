"""Training of the VQA branch as a LightningModule."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoomvqa.data.batch import ClipBatch, VideoClips
from zoomvqa.data.normalise import normalise
from zoomvqa.models.vqa.net import VQANet, score_clips
from zoomvqa.settings.shared import LossSettings, Optimiser
from zoomvqa.settings.vqa import ClipView
from zoomvqa.training.branch_module import BranchModule


class VQAModule(BranchModule):
    """Trains a `VQANet` on random clips and validates it on the test clips of whole videos.

    Args:
        net: the network.
        view: how pictures are normalised.
        loss: the training loss.
        optimiser: rates, schedule and averaging.
        description: see `BranchModule`.
    """

    net: VQANet

    def __init__(
        self, net: VQANet, view: ClipView, loss: LossSettings, optimiser: Optimiser, description: dict[str, Any]
    ) -> None:
        super().__init__(net, loss, optimiser, description)
        self._view = view

    def training_step(self, batch: ClipBatch, _: int) -> Tensor:
        """Return the loss of a batch of videos; a video's score is the mean over its clips."""
        videos, clips = batch.clips.shape[:2]
        scores = self.net(normalise(batch.clips.flatten(0, 1), self._view)).score.float()
        loss = self.batch_loss(scores.view(videos, clips).mean(dim=1), batch.mos, batch.sets)
        self.log("train/loss", loss, prog_bar=True, batch_size=videos)
        return loss

    def example(self) -> tuple[Tensor, ...]:
        """Return one clip."""
        return (torch.zeros(1, 3, self.description["sampling"]["clip_len"], self._view.size, self._view.size),)

    def head_features(self, batch: VideoClips) -> Tensor:
        """Return what the last layer is given of a video, (hidden,): the mean over its clips."""
        clips = (normalise(clip, self._view)[None] for clip in batch.clips)
        return torch.cat([self.net.head_features(clip) for clip in clips]).mean(dim=0)

    def score(self, net: nn.Module, batch: VideoClips) -> Tensor:
        """Score one video: the mean over its clips."""
        return score_clips(net, (normalise(clip, self._view) for clip in batch.clips)).mean()
