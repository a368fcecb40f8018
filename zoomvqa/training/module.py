"""The LightningModule of a branch, or of several: trained on parts of videos, validated on whole ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zoomvqa.calibration import FusionScale, fit_logistic
from zoomvqa.data.batch import Batch, VideoBatch
from zoomvqa.losses import build_loss
from zoomvqa.metrics import VideoScores
from zoomvqa.models.base import score_video
from zoomvqa.models.fusion.net import FusionNet, branch_nets
from zoomvqa.settings.branch import Mixing
from zoomvqa.settings.loss import LossSettings
from zoomvqa.settings.shared import Optimiser
from zoomvqa.training.ema import MovingAverage
from zoomvqa.training.mixing import mix
from zoomvqa.training.schedule import build_optimiser
from zoomvqa.training.validation import ValidatedModule
from zoomvqa.views import Look


class QualityModule(ValidatedModule):
    """Branches that are trained on parts of videos and validated on whole ones.

    With `optimiser.ema_decay` an exponential moving average of the weights is kept beside them; both are
    validated, and the better one is what the figures, the checkpoint's description and the report speak of.

    How fused branches are joined stays as it was calibrated: it is what they are trained through. What brings each
    branch's own score to MOS units is fitted anew on every validation, for the branches have changed.

    Args:
        net: the network of one branch, or a `FusionNet` of several.
        looks: what each branch looks at, by its name.
        loss: the training loss.
        optimiser: rates, schedule and averaging.
        description: what a checkpoint says of itself, plain data; see `zoomvqa.checkpoints`.
        mixing: of training samples; for one branch.

    Attributes:
        looks: what each branch looks at, by its name.
        predicted: (predictions, MOS) of the losses of a training step, where somebody asks for them; else None.
    """

    def __init__(
        self,
        net: nn.Module,
        looks: Mapping[str, Look],
        loss: LossSettings,
        optimiser: Optimiser,
        description: dict[str, Any],
        mixing: Mixing = Mixing(),  # noqa: B008  settings cannot be changed
    ) -> None:
        averaged = None
        if optimiser.ema_decay is not None:
            averaged = MovingAverage(net, optimiser.ema_decay, ramp=optimiser.ema_ramp)
        super().__init__(net, averaged, description)
        self.looks = dict(looks)
        self.loss = build_loss(loss)
        self._over_all = loss.all_processes
        self.predicted: list[tuple[Tensor, Tensor]] | None = None
        # Of fused branches, each by itself.
        own = self.looks if isinstance(net, FusionNet) else ()
        self._own = nn.ModuleDict({f"{n}_{branch}": VideoScores() for n in self.candidates() for branch in own})
        self._optimiser, self._mixing = optimiser, mixing

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return the loss of a batch; a video's score is the mean over its parts."""
        inputs = {
            name: look.view.to_network(batch.inputs[name].flatten(0, 1)) for name, look in self.looks.items()
        }
        if isinstance(self.net, FusionNet):
            parts = (batch.inputs[name].shape[:2] for name in inputs)
            shaped = (x.unflatten(0, shape) for x, shape in zip(inputs.values(), parts, strict=True))
            loss = self.batch_loss(self.net(*shaped).score.float(), batch.mos, batch.sets)
        else:
            ((name, own),) = inputs.items()
            loss = self._own_loss(own, batch.inputs[name].shape[0], batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.mos))
        return loss

    def _own_loss(self, inputs: Tensor, videos: int, batch: Batch) -> Tensor:
        """Return the loss of one branch's (videos · parts, …) network inputs, mixed or not."""
        mixed = mix(inputs, self._mixing, batch.sets if self.joined else None)
        shown = inputs if mixed is None else mixed.views
        score = self.net(shown).score.float().view(videos, -1).mean(dim=1)
        own = self.batch_loss(score, batch.mos, batch.sets)
        if mixed is None:
            return own
        other = self.batch_loss(score, batch.mos[mixed.partner], batch.sets)
        return mixed.share * own + (1 - mixed.share) * other

    def score(self, net: nn.Module, batch: VideoBatch) -> Tensor:
        """Return the score of one validation video by `net`, (), as scoring its file computes it."""
        nets = branch_nets(net, list(self.looks))
        own = {}
        for name, look in self.looks.items():
            parts = score_video(nets[name], batch.inputs[name], look.view.to_network, look.sampling.together)
            own[name] = parts.mean()
        if not isinstance(net, FusionNet):
            (score,) = own.values()
            return score
        candidate = "net" if net is self.net else "averaged"
        for branch, value in own.items():
            self._own[f"{candidate}_{branch}"].update(batch.index, value, batch.mos)  # type: ignore[operator]
        fused = net.scale.fused({name: value.cpu().double() for name, value in own.items()})
        return fused.to(batch.mos.device, torch.float32)

    def head_features(self, batch: VideoBatch) -> Tensor:
        """Return what the last layer of one branch is given of a video, (hidden,): the mean over its parts."""
        ((name, look),) = self.looks.items()
        net = branch_nets(self.net, [name])[name]
        pieces = batch.inputs[name].split(look.sampling.together)
        return torch.cat([net.head_features(look.view.to_network(piece)) for piece in pieces]).mean(dim=0)

    def example(self) -> tuple[Tensor, ...]:
        """Return the network's inputs for one sample, of zeros."""
        examples = tuple(look.example() for look in self.looks.values())
        return tuple(each[None] for each in examples) if isinstance(self.net, FusionNet) else examples

    def constant_cause(self, value: float) -> str:
        """Return the likely cause when the network predicts `value` of every video."""
        if isinstance(self.net, FusionNet):
            return "the branches no longer tell videos apart"
        return branch_nets(self.net, list(self.looks))[next(iter(self.looks))].constant_cause(value)

    def batch_loss(self, prediction: Tensor, mos: Tensor, sets: Tensor | None) -> Tensor:
        """Return the loss of a batch, over the batches of all processes where the settings say so.

        Every process then has the same loss, and gradients flow to all: after the averaging of DDP they are those
        of one process with the whole batch.

        Args:
            prediction: (batch,) of this process.
            mos: (batch,).
            sets: (batch,) int64, the set of each; it counts only where several are joined.
        """
        if self.predicted is not None:
            self.predicted.append((prediction.detach(), mos.detach()))
        over_all = self._over_all and self.trainer.world_size > 1
        if over_all:
            prediction = self.all_gather(prediction, sync_grads=True).flatten()  # type: ignore[union-attr]
            mos = self.all_gather(mos).flatten()  # type: ignore[union-attr]
        if self.joined is None or sets is None:
            return self.loss(prediction, mos)
        sets = self.all_gather(sets).flatten() if over_all else sets  # type: ignore[union-attr]
        return self.joined.loss(self.loss, prediction, mos, sets)

    def on_validated(self) -> None:
        """Fit anew what brings the own scores of fused branches to MOS units."""
        if not self._own:
            return
        low, high = self.description["mos_range"]
        assert isinstance(self.net, FusionNet)  # noqa: S101  the only one with scores of its branches
        scale = self.net.scale.model_dump()
        for name, scores in self._own.items():
            table = scores.compute()[1]  # type: ignore[operator]
            scores.reset()  # type: ignore[operator]
            candidate, _, branch = name.partition("_")
            if candidate != self.better:
                continue
            _, score, mos = (column.reshape(-1).double().numpy() for column in table)
            if (fitted := fit_logistic(score, mos, (low, high))) is not None:
                scale["branches"][branch]["logistic"] = fitted.model_dump()
        self.description["scale"] = FusionScale.model_validate(scale).model_dump(mode="json")

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take a step, and let the average follow."""
        super().optimizer_step(*args, **kwargs)
        if self.averaged is not None:
            self.averaged.update(self.net)

    def configure_optimizers(self) -> Any:
        """Return AdamW and a schedule stepped every iteration."""
        epochs = self.trainer.max_epochs or 1
        optimiser, schedule = build_optimiser(self.net, self._optimiser, self._steps(epochs), epochs)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _steps(self, epochs: int) -> int:
        """Return how many steps the optimiser will take.

        Lightning's own count would set up the loaders before it has read where a stopped run goes on.
        """
        data = getattr(self.trainer, "datamodule", None)
        if data is None:
            return int(self.trainer.estimated_stepping_batches)
        return math.ceil(len(data.train_dataloader()) / self.trainer.accumulate_grad_batches) * epochs
