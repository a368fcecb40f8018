"""What a training is validated by: scores of whole videos, their figures, and what a checkpoint says of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from zoomvqa.calibration import Unit, fit_logistic
from zoomvqa.console import say
from zoomvqa.data.batch import UnreadVideo, VideoBatch
from zoomvqa.errors import TrainingError
from zoomvqa.metrics import Figures, VideoScores, constant_value
from zoomvqa.training.constant import told_constant
from zoomvqa.training.ema import MovingAverage
from zoomvqa.training.joined import Joined

Table = tuple[Tensor, Tensor, Tensor]


class ValidatedModule(lightning.LightningModule, ABC):
    """A network, and perhaps a moving average of its weights, that are validated on whole videos.

    Both are validated; the better one is what the figures, the checkpoint's description and the report speak of.

    Args:
        net: the network.
        averaged: the moving average of its weights, as `averaged.module`, or None.
        description: what a checkpoint says of itself, plain data; see `zoomvqa.checkpoints`.

    Attributes:
        figures: of the last validation.
        table: (numbers, predictions, MOS) of the last validation, equal on all processes.
        better: which of the candidates the last validation found better: `net`, or `averaged`.
        constant: what the raw weights predicted of every video of the last validation; None where predictions
            differed.
        joined: the sets that are trained together; None where it is one.
        logs_figures: whether validation tells the loggers.
    """

    def __init__(self, net: nn.Module, averaged: MovingAverage | None, description: dict[str, Any]) -> None:
        super().__init__()
        self.net = net
        self.averaged = averaged
        self.description = description
        self.figures: Figures | None = None
        self.table: Table | None = None
        self.better = "net"
        self.constant: float | None = None
        self.joined: Joined | None = None
        self.logs_figures = True
        self._scores = nn.ModuleDict({name: VideoScores() for name in self.candidates()})

    @abstractmethod
    def score(self, net: nn.Module, batch: VideoBatch) -> Tensor:
        """Return the score of one validation video by `net`, ()."""

    @abstractmethod
    def constant_cause(self, value: float) -> str:
        """Return the likely cause when the network predicts `value` of every video."""

    def on_validated(self) -> None:
        """Do what is to be done once `table` and `better` are those of this validation."""

    def candidates(self) -> dict[str, nn.Module]:
        """Return the networks that are validated: the raw weights, and their average where there is one."""
        return {"net": self.net} | ({"averaged": self.averaged.module} if self.averaged is not None else {})

    def validation_step(self, batch: VideoBatch | UnreadVideo, _: int) -> None:
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
        self.on_validated()
        if self.logs_figures:
            self._log_all(found, by_set)

    def _log_all(
        self, found: Mapping[str, tuple[Figures, Table]], by_set: Mapping[str, Mapping[str, Figures]]
    ) -> None:
        """Log the figures of the better candidate, of each set, and of both candidates."""
        assert self.figures is not None  # noqa: S101  the caller has them
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

    def _log_figures(self, prefix: str, figures: Figures, *, shown: bool) -> None:
        names = ("srcc", "plcc", "krcc", *(("rmse",) if self.unit.known else ()), "selection")
        values = {name: float(getattr(figures, name)) for name in names}
        # Every process has the same figures, so there is nothing to reduce.
        defined = {f"{prefix}/{name}": torch.tensor(v) for name, v in values.items() if math.isfinite(v)}
        self.log_dict(defined, prog_bar=shown)
