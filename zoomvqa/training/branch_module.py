"""What the LightningModules of all branches share: video-level figures, optimiser, averaging, checkpoints."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from zoomvqa.calibration import Unit, fit_logistic
from zoomvqa.console import say
from zoomvqa.data.batch import UnreadVideo
from zoomvqa.errors import TrainingError
from zoomvqa.losses import build_loss
from zoomvqa.metrics import Figures, VideoScores, constant_value
from zoomvqa.settings.shared import LossSettings, Optimiser
from zoomvqa.training.constant import told_constant
from zoomvqa.training.ema import MovingAverage
from zoomvqa.training.joined import Joined
from zoomvqa.training.schedule import build_optimiser

Table = tuple[Tensor, Tensor, Tensor]


class BranchModule(lightning.LightningModule, ABC):
    """A network that is trained on parts of videos and validated on whole ones.

    Subclasses write `training_step` and `score`. With `optimiser.ema_decay` an exponential moving average of
    the weights is kept beside them; both are validated, and the better one is what the figures, the checkpoint's
    description and the report speak of.

    Args:
        net: the network.
        loss: the training loss.
        optimiser: rates, schedule and averaging.
        description: what a checkpoint says of itself, plain data; see `zoomvqa.checkpoints`.

    Attributes:
        averaged: the averaged network as `averaged.module`, or None.
        figures: of the last validation.
        table: (numbers, predictions, MOS) of the last validation, equal on all processes.
        better: which of the candidates the last validation found better: `net`, or `averaged`.
        constant: what the raw weights predicted of every video of the last validation; None where predictions
            differed.
        joined: the sets that are trained together; None where it is one.
        logs_figures: whether validation tells the loggers.
        predicted: (predictions, MOS) of the losses of a training step, where somebody asks for them; else None.
    """

    def __init__(
        self, net: nn.Module, loss: LossSettings, optimiser: Optimiser, description: dict[str, Any]
    ) -> None:
        super().__init__()
        self.net = net
        self.description = description
        self.figures: Figures | None = None
        self.table: Table | None = None
        self.constant: float | None = None
        self.joined: Joined | None = None
        self.loss = build_loss(loss)
        self._over_all = loss.all_processes
        self.averaged: MovingAverage | None = None
        if optimiser.ema_decay is not None:
            self.averaged = MovingAverage(net, optimiser.ema_decay, ramp=optimiser.ema_ramp)
        self.logs_figures = True
        self.predicted: list[tuple[Tensor, Tensor]] | None = None
        self.better = "net"
        self._scores = nn.ModuleDict({name: VideoScores() for name in self.candidates()})
        self._optimiser = optimiser

    @abstractmethod
    def score(self, net: nn.Module, batch: Any) -> Tensor:
        """Return the score of one validation video by `net`, ()."""

    @abstractmethod
    def example(self) -> tuple[Tensor, ...]:
        """Return the network's inputs for one sample, of zeros."""

    def constant_cause(self, value: float) -> str:  # noqa: ARG002  for branches that can tell by it
        """Return the likely cause when the network predicts `value` of every video."""
        return "the network no longer tells videos apart"

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

    def validation_step(self, batch: Any, _: int) -> None:
        """Score one video with the weights, and with their average; one that could not be read is left out."""
        if isinstance(batch, UnreadVideo):
            for scores in (part for part in self.modules() if isinstance(part, VideoScores)):
                scores.leave_out(batch.index)
            return
        for name, net in self.candidates().items():
            self._scores[name].update(batch.index, self.score(net, batch), batch.mos)  # type: ignore[operator]

    def on_validation_epoch_end(self) -> None:
        """Gather the scores of all processes and log the figures.

        Raises:
            TrainingError: a score is not a number, or there is none.
        """
        found: dict[str, tuple[Figures, Table]] = {}
        by_set: dict[str, dict[str, Figures]] = {}
        for name, scores in self._scores.items():
            try:
                figures, table = scores.compute()  # type: ignore[operator]
            except ValueError as error:
                raise TrainingError(
                    f"training went wrong ({error}); a smaller branch.optimiser.lr may help"
                ) from None
            except LookupError:
                raise TrainingError("no validation video can be read any more") from None
            scores.reset()  # type: ignore[operator]
            if self.joined is not None:
                figures, by_set[name] = self.joined.figures(table)
            found[name] = figures, table
        self._tell_constant(found["net"][1][1].reshape(-1))
        self.better = max(found, key=lambda name: found[name][0].selection)
        self.figures, table = found[self.better]
        index, prediction, mos = (column.reshape(-1) for column in table)  # of a single video they are scalars
        self.table = index, prediction, mos
        if not self.logs_figures:
            return
        self._log_figures("val", self.figures, shown=True)
        for name, each in by_set.get(self.better, {}).items():
            self._log_figures(f"val_{name}", each, shown=False)
        if self.averaged is not None:
            for name, prefix in (("net", "val_raw"), ("averaged", "val_ema")):
                self._log_figures(prefix, found[name][0], shown=False)

    def _tell_constant(self, prediction: Tensor) -> None:
        """Say that all (n,) predictions are the same, in the first of the epochs in which they are."""
        before, self.constant = self.constant, constant_value(prediction)
        if self.constant is not None and before is None:
            cause = self.constant_cause(self.constant)
            say(f"Epoch {self.current_epoch}: {told_constant(len(prediction), self.constant, cause)}")

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

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write the description into the checkpoint: its figures, whose they are, and a calibration."""
        figures: dict[str, Any] = self.figures._asdict() if self.figures else {}
        if figures and not self.unit.known:  # of scores before their calibration
            figures["rmse"] = None
        told = {"epoch": self.current_epoch, "figures": figures, "weights": self.better}
        checkpoint["zoomvqa"] = self.description | told | self._calibration()

    def _calibration(self) -> dict[str, Any]:
        """Return what brings scores without a unit to MOS units, fitted on the last validation."""
        scale = self.description.get("mos_range")
        if self.description.get("unit") != "none" or self.table is None or not scale:
            return {}
        score, mos = (column.double().numpy() for column in self.table[1:])
        found = fit_logistic(score, mos, (float(scale[0]), float(scale[1])))
        return {} if found is None else {"unit": "mos", "calibration": found.model_dump()}

    @property
    def unit(self) -> Unit:
        """What the network's scores are in."""
        scale = self.description.get("mos_range")
        return Unit(self.description.get("unit") == "mos", None if scale is None else (scale[0], scale[1]))

    def candidates(self) -> dict[str, nn.Module]:
        """Return the networks that are validated: the raw weights, and their average where there is one."""
        return {"net": self.net} | ({"averaged": self.averaged.module} if self.averaged is not None else {})

    def _log_figures(self, prefix: str, figures: Figures, *, shown: bool) -> None:
        names = ("srcc", "plcc", "krcc", *(("rmse",) if self.unit.known else ()), "selection")
        values = {name: float(getattr(figures, name)) for name in names}
        # Every process has the same figures, so there is nothing to reduce.
        defined = {f"{prefix}/{name}": torch.tensor(v) for name, v in values.items() if math.isfinite(v)}
        self.log_dict(defined, prog_bar=shown)
