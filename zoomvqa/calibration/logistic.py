"""The rising logistic from scores to MOS, between the ends of the scale."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat
from torch import Tensor

from zoomvqa.settings.base import Settings

# Videos that a fit needs at the least.
FEWEST = 5
# Smallest and largest width, in standard deviations of the scores: a step would make different scores equal.
_NARROWEST, _WIDEST = 0.4, 20.0
# How far the centre may lie from the mean score, in standard deviations.
_FURTHEST = 40.0


class Logistic(Settings):
    """low + (high − low) / (1 + e^(−(score − centre) / width)): rising, so that no order changes.

    Attributes:
        low, high: the ends, in units of the MOS.
        centre, width: in units of the score.
    """

    low: float
    high: float
    centre: float
    width: PositiveFloat

    def __call__(self, score: Tensor) -> Tensor:
        """Return the MOS of scores, of any shape and floating dtype."""
        return self.low + (self.high - self.low) * torch.sigmoid((score - self.centre) / self.width)

    def of(self, score: float) -> float:
        """Return the MOS of one score, computed in float64."""
        return float(self(torch.tensor(score, dtype=torch.float64)))


def fit_logistic(
    score: NDArray[np.float64], mos: NDArray[np.float64], mos_range: tuple[float, float]
) -> Logistic | None:
    """Return the rising logistic between the ends of the scale that comes nearest to the MOS (least squares).

    Only its centre and width are fitted. Ends that are free fit a little better where the labelled videos cover
    the whole scale; where they cover its upper half alone, nothing below could be predicted any more. The curve
    never becomes a step, however few videos there are.

    Args:
        score: (n,) finite.
        mos: (n,) finite.
        mos_range: lowest and highest score of the scale.

    Returns:
        The logistic, or None where there is none: fewer than 5 videos, all scores or all MOS equal, or scores that
        fall where the MOS rises.

    Raises:
        ValueError: a value is not finite, or the shapes differ.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415  scoring fits nothing and is started often

    if score.ndim != 1 or score.shape != mos.shape or not (np.isfinite(score).all() and np.isfinite(mos).all()):
        raise ValueError("score and mos: expected two (n,) arrays of finite numbers")
    mean, spread, size = score.mean(), score.std(), mos_range[1] - mos_range[0]
    if len(score) < FEWEST or spread <= 1e-12 * max(1.0, abs(mean)) or np.ptp(mos) == 0 or size <= 0:
        return None
    x, y = (score - mean) / spread, (mos - mos_range[0]) / size
    if float(np.mean(x * (y - y.mean()))) <= 0:
        return None

    def errors(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 / (1 + np.exp(-(x - p[0]) / p[1])) - y

    # The centre may lie outside the scores: where all labels are in one half of the scale it does.
    bounds = ([-_FURTHEST, _NARROWEST], [_FURTHEST, _WIDEST])
    middle = float(np.clip(y.mean(), 0.02, 0.98))
    start = [float(np.clip(-np.log(middle / (1 - middle)), -_FURTHEST, _FURTHEST)), 1.0]
    centre, width = least_squares(errors, start, bounds=bounds, xtol=1e-12, ftol=1e-12).x
    return Logistic(
        low=float(mos_range[0]),
        high=float(mos_range[1]),
        centre=float(mean + centre * spread),
        width=float(width * spread),
    )
