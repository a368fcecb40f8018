"""The curves that predictions are fitted to MOS with before PLCC and RMSE are told, after the VQEG."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import leastsq

Values = NDArray[np.float64]


def logistic4(x: Values, top: float, bottom: float, centre: float, width: float) -> Values:
    """Return bottom + (top − bottom) / (1 + e^(−(x − centre) / |width|)), as the field's public code fits it."""
    return bottom + (top - bottom) / (1 + np.exp(np.clip(-(x - centre) / np.abs(width), -500, 500)))


def logistic5(x: Values, height: float, slope: float, centre: float, tilt: float, offset: float) -> Values:
    """Return height · (1/2 − 1 / (1 + e^(slope · (x − centre)))) + tilt · x + offset (Sheikh et al., TIP 2006)."""
    return height * (0.5 - 1 / (1 + np.exp(np.clip(slope * (x - centre), -500, 500)))) + tilt * x + offset


def fit_curve(prediction: Values, mos: Values, parameters: int = 4, unit: float = 1.0) -> Values | None:
    """Return the predictions on the curve that comes nearest to the MOS in the least-squares sense.

    Args:
        prediction: (n,) finite, not all equal.
        mos: (n,) finite.
        parameters: of the logistic, 4 or 5.
        unit: what the predictions were divided by, where they were: the search of public code depends on it.

    Returns:
        (n,), or None where there are not more videos than parameters, or no curve is found.

    Raises:
        ValueError: there is no curve of so many parameters.
    """
    if parameters not in {4, 5}:
        raise ValueError(f"parameters: got {parameters}, expected 4 or 5")
    if len(prediction) <= parameters:
        return None
    # The minimum does not depend on the units of x, but whether it is found does.
    x = (prediction - prediction.mean()) / prediction.std()
    curve = logistic4 if parameters == 4 else logistic5
    found = [_least_squares(curve, x, mos, start) for start in _starts(x, mos, parameters)]
    if parameters == 4:  # as public code searches; where that ends lower, it counts
        start = [float(mos.max()), float(mos.min()), float(prediction.mean()), 0.5 / unit]
        found.append(_least_squares(curve, prediction, mos, start))
    fits = [fitted for fitted in found if fitted is not None]
    return min(fits, key=lambda fitted: float(np.sum((fitted - mos) ** 2))) if fits else None


def _starts(x: Values, mos: Values, parameters: int) -> list[list[float]]:
    """Return where the search begins: as public code does, the other way up, and on a curve that is nearly a line.

    The best of them counts: any alone ends in a local minimum, or far out, on some data.
    """
    high, low, spread = float(mos.max()), float(mos.min()), float(np.ptp(mos))
    sign = float(np.sign(np.corrcoef(x, mos)[0, 1])) or 1.0
    if parameters == 4:
        return [[high, low, 0.0, 0.5], [low, high, 0.0, 0.5], [*_line(mos, sign), 0.0, 2.0]]
    middle = float(mos.mean())
    return [
        [spread, sign, 0.0, 0.0, middle],
        [spread, 3 * sign, 0.0, 0.0, middle],
        [spread, sign / 3, 0.0, 0.0, middle],
    ]


def _line(mos: Values, sign: float) -> tuple[float, float]:
    """Return ends of a wide logistic that is as steep as the MOS spread."""
    middle, half = float(mos.mean()), 4 * float(mos.std()) * sign
    return middle + half, middle - half


def _least_squares(curve: Callable[..., Values], x: Values, mos: Values, start: list[float]) -> Values | None:
    """Return the curve that a search ends with; one that runs on towards a limit counts as far as it came."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found, *_ = leastsq(lambda p: curve(x, *p) - mos, start, maxfev=5000, ftol=1e-12, xtol=1e-12)
    fitted = curve(x, *found)
    return fitted if np.isfinite(fitted).all() else None
