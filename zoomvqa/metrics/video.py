"""Figures of the field on video-level scores: SRCC, PLCC, KRCC, RMSE."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from scipy.stats import rankdata
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional import kendall_rank_corrcoef, mean_squared_error, pearson_corrcoef
from torchmetrics.utilities.data import dim_zero_cat

from zoomvqa.calibration.unit import Unit


class Figures(NamedTuple):
    """Agreement of predictions with MOS.

    Attributes:
        srcc: Spearman's rank correlation, −1..1; NaN where all predictions, or all scores, are equal.
        plcc: Pearson's correlation, raw, −1..1; NaN likewise.
        krcc: Kendall's tau-b, −1..1; NaN likewise.
        rmse: root mean squared error, raw, in units of the MOS.
        videos: how many.
    """

    srcc: float
    plcc: float
    krcc: float
    rmse: float
    videos: int

    def told(self, unit: Unit) -> str:
        """Return the figures as a line; an RMSE is only in it where predictions are in units of the MOS."""
        videos = "1 video" if self.videos == 1 else f"{self.videos} videos"
        correlations = f"SRCC {self.srcc:.4f}  PLCC {self.plcc:.4f}  KRCC {self.krcc:.4f}"
        return f"{self.undefined or correlations}  {self.error(unit, 4)}  ({videos})"

    def error(self, unit: Unit, digits: int) -> str:
        """Return the RMSE and the scale that it is on, or that there is none."""
        if not unit.known:
            return "scores without a unit"
        scale = "" if unit.scale is None else f" on a scale of {unit.scale[0]:g} to {unit.scale[1]:g}"
        return f"RMSE {self.rmse:.{digits}f}{scale}"

    @property
    def undefined(self) -> str:
        """Which correlations are not defined, and why; empty where all are."""
        values = {"SRCC": self.srcc, "PLCC": self.plcc, "KRCC": self.krcc}
        lacking = [name for name, value in values.items() if not math.isfinite(value)]
        why = "1 video" if self.videos == 1 else "all predictions, or all MOS, are equal"
        return f"{', '.join(lacking)} not defined: {why}" if lacking else ""

    @property
    def selection(self) -> float:
        """What the best checkpoint is chosen by: 0.5 · SRCC + 0.5 · PLCC, −1 where they are not defined."""
        value = 0.5 * self.srcc + 0.5 * self.plcc
        return value if math.isfinite(value) else -1.0


def figures_of(prediction: Tensor, mos: Tensor) -> Figures:
    """Return the figures of (n,) predictions and (n,) MOS, n at least 1.

    They are computed in float64 whatever they come in.

    Raises:
        ValueError: the shapes differ, there is no video, or a value is not finite.
    """
    if prediction.shape != mos.shape or prediction.ndim != 1 or not len(prediction):
        raise ValueError(f"expected two (n,) tensors, got {tuple(prediction.shape)} and {tuple(mos.shape)}")
    x, y = prediction.double(), mos.double()
    if not (x.isfinite().all() and y.isfinite().all()):
        raise ValueError("predictions and MOS must be finite")
    rmse = float(mean_squared_error(x, y, squared=False))
    if bool((x == x[0]).all()) or bool((y == y[0]).all()):
        return Figures(math.nan, math.nan, math.nan, rmse, len(x))
    krcc = kendall_rank_corrcoef(x, y)
    assert isinstance(krcc, Tensor)  # noqa: S101  a tuple only when a test of significance is asked for
    # torchmetrics' own Spearman adds 1e-6 to the denominator, which shows with few videos; on ranks, its Pearson
    # is the same figure without that.
    srcc = pearson_corrcoef(_ranks(x), _ranks(y))
    return Figures(float(srcc), float(pearson_corrcoef(x, y)), float(krcc), rmse, len(x))


def constant_value(prediction: Tensor) -> float | None:
    """Return what all of (n,) predictions are; None where they differ, and below n = 2, where it means nothing."""
    if len(prediction) < 2 or not bool((prediction == prediction[0]).all()):
        return None
    return float(prediction[0])


def _ranks(values: Tensor) -> Tensor:
    return torch.from_numpy(rankdata(values.cpu().numpy()))


class VideoScores(Metric):
    """Gathers one score per video over steps and processes; a video seen twice counts once.

    Samplers of several processes repeat videos to even out their shares; averaging per-process correlations,
    or counting repeats, gives figures that depend on the number of processes. Scores are therefore gathered
    with the videos' numbers, and the figures are computed once.
    """

    full_state_update = False
    index: list[Tensor]
    prediction: list[Tensor]
    mos: list[Tensor]
    scored: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        for name in ("index", "prediction", "mos", "scored"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, index: Tensor, prediction: Tensor, mos: Tensor) -> None:
        """Add videos: (n,) int64 numbers, (n,) scores and (n,) MOS; scalars count as n = 1."""
        self.index.append(index.reshape(-1))
        self.prediction.append(prediction.detach().reshape(-1).float())
        self.mos.append(mos.reshape(-1).float())
        self.scored.append(torch.ones_like(self.index[-1], dtype=torch.bool))

    def leave_out(self, index: Tensor) -> None:
        """Note that a video, () int64, has no score, so that every process has as many entries to gather."""
        self.update(index, torch.zeros_like(index), torch.zeros_like(index))
        self.scored[-1] = torch.zeros_like(self.scored[-1])

    def table(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return (n,) numbers in order, their predictions and MOS, on the CPU; call it inside `compute`."""
        index = dim_zero_cat(self.index).cpu()
        prediction, mos = dim_zero_cat(self.prediction).cpu(), dim_zero_cat(self.mos).cpu()
        scored = dim_zero_cat(self.scored).cpu()
        index, prediction, mos = index[scored], prediction[scored], mos[scored]
        order = torch.argsort(index, stable=True)
        index, prediction, mos = index[order], prediction[order], mos[order]
        first = torch.ones_like(index, dtype=torch.bool)
        first[1:] = index[1:] != index[:-1]
        return index[first], prediction[first], mos[first]

    def compute(self) -> tuple[Figures, tuple[Tensor, Tensor, Tensor]]:
        """Return the figures over all processes and the table they were computed from.

        Raises:
            LookupError: no video has a score.
            ValueError: a score is not finite.
        """
        table = self.table()
        if not len(table[0]):
            raise LookupError("no video has a score")
        return figures_of(table[1], table[2]), table
