"""A callback that keeps the predictions behind the best figures: as CSV, and as a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from zoomvqa.calibration import Unit, fit_logistic
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.files import whole_file
from zoomvqa.metrics import Figures, constant_value
from zoomvqa.training.loggers import log_best, show_picture


class ValidationReport(Callback):
    """Writes `val_predictions.csv` and `val_scatter.png` whenever validation improves.

    Args:
        folder: where to.
        videos: of the validation split, in the order of their numbers.

    Attributes:
        figures: of the best validation, on every process; None before the first.
        constant: what all predictions of the best validation are; None where they differ.
        ended_constant: whether the raw weights predicted the same of every video in the last validation.
    """

    def __init__(self, folder: Path, videos: Sequence[LabelledVideo]) -> None:
        self._folder, self._videos = folder, videos
        self._best = float("-inf")
        self.figures: Figures | None = None
        self.constant: float | None = None
        self.ended_constant = False

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """See the class; nothing is written for the check before training."""
        if trainer.state.fn != TrainerFn.FITTING:  # the mean of checkpoints, after training
            return
        if trainer.sanity_checking or pl_module.figures is None:
            return
        self.ended_constant = pl_module.constant is not None
        if pl_module.figures.selection <= self._best:
            return
        self._best, self.figures = pl_module.figures.selection, pl_module.figures
        self.constant = constant_value(pl_module.table[1])
        if not trainer.is_global_zero:
            return
        names = [self._videos[int(i)].name for i in pl_module.table[0]]
        _, prediction, mos = pl_module.table
        write_predictions(self._folder / "val_predictions.csv", names, prediction, mos)
        plot_scatter(self._folder / "val_scatter.png", prediction, mos, pl_module.figures, pl_module.unit)
        log_best(trainer, pl_module.figures, pl_module.unit)
        show_picture(trainer, "val/scatter", self._folder / "val_scatter.png")

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to know."""
        figures = list(self.figures) if self.figures else None
        known = {"constant": self.constant, "ended_constant": self.ended_constant}
        return {"best": self._best, "figures": figures} | known

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state of the run that is resumed."""
        self._best = state_dict["best"]
        self.figures = Figures(*state_dict["figures"]) if state_dict["figures"] else None
        self.constant = state_dict.get("constant")  # runs of earlier versions do not have it
        self.ended_constant = state_dict.get("ended_constant", False)


def write_predictions(path: Path, names: Sequence[str], prediction: Tensor, mos: Tensor) -> None:
    """Write one row per video: video, prediction, mos."""
    with whole_file(path, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["video", "prediction", "mos"])
        for name, p, y in zip(names, prediction.tolist(), mos.tolist(), strict=True):
            writer.writerow([name, f"{p:.6f}", f"{y:.6f}"])


def plot_scatter(path: Path, prediction: Tensor, mos: Tensor, figures: Figures, unit: Unit) -> None:
    """Draw predicted against true scores, the calibration between them, and the figures in the title.

    The curve is the two-parameter logistic that checkpoints are calibrated with, between the lowest and highest
    MOS; it is not the one of four or five parameters behind PLCC after a fit.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  slow to import; the object interface needs no display

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.scatter(prediction.numpy(), mos.numpy(), s=14, alpha=0.7)
    x, y = prediction.double().numpy(), mos.double().numpy()
    fitted = fit_logistic(x, y, (float(y.min()), float(y.max())))
    if fitted is not None:
        along = torch.linspace(float(x.min()), float(x.max()), 200, dtype=torch.float64)
        axes.plot(along.numpy(), fitted(along).numpy(), linewidth=1.2, color="tab:red", label="calibration")
        axes.legend(fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("MOS")
    correlations = figures.undefined or f"SRCC {figures.srcc:.3f}   PLCC {figures.plcc:.3f}"
    axes.set_title(f"{correlations}\n{figures.error(unit, 2)}   n = {figures.videos}", fontsize=9)
    with whole_file(path, "wb") as handle:
        figure.savefig(handle, format="png", dpi=120)
