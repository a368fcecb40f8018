"""The monotone logistic from scores to MOS, of four parameters, as the Video Quality Experts Group fits it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat
from torch import Tensor

from zoomvqa.settings.base import Settings

# Videos that four parameters need at the least.
FEWEST = 5
# Smallest width, in standard deviations of the scores: a step would bring scores that differ to one value.
_NARROWEST = 0.4
# How far the ends may lie outside the scale of the labels, as a share of it.
_BEYOND = 0.1


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
    """Return the rising logistic that comes nearest to the MOS in the least-squares sense.

    Its ends stay within the scale of the labels and a tenth of it on either side, and it never becomes a step,
    however few videos there are.

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
        return p[0] + (p[1] - p[0]) / (1 + np.exp(-(x - p[2]) / p[3])) - y

    # Low and high each in a half of their own: they cannot change places.
    middle = float(np.clip(np.median(y), 0.05, 0.95))
    bounds = ([-_BEYOND, middle, -4.0, _NARROWEST], [middle, 1 + _BEYOND, 4.0, 10.0])
    start = np.clip([y.min(), y.max(), 0.0, 0.8], np.array(bounds[0]) + 1e-6, np.array(bounds[1]) - 1e-6)
    low, high, centre, width = least_squares(errors, start, bounds=bounds, xtol=1e-12, ftol=1e-12).x
    return Logistic(
        low=float(mos_range[0] + low * size),
        high=float(mos_range[0] + high * size),
        centre=float(mean + centre * spread),
        width=float(width * spread),
    )
