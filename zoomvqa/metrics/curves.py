"""The curves that predictions are fitted to MOS with before PLCC and RMSE are told, after the VQEG."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

Values = NDArray[np.float64]


def logistic4(x: Values, top: float, bottom: float, centre: float, width: float) -> Values:
    """Return bottom + (top − bottom) / (1 + e^(−(x − centre) / |width|)), as the field's public code fits it."""
    return bottom + (top - bottom) / (1 + np.exp(np.clip(-(x - centre) / np.abs(width), -500, 500)))


def logistic5(x: Values, height: float, slope: float, centre: float, tilt: float, offset: float) -> Values:
    """Return height · (1/2 − 1 / (1 + e^(slope · (x − centre)))) + tilt · x + offset (Sheikh et al., TIP 2006)."""
    return height * (0.5 - 1 / (1 + np.exp(np.clip(slope * (x - centre), -500, 500)))) + tilt * x + offset


def fit_curve(prediction: Values, mos: Values, parameters: int = 4) -> Values | None:
    """Return the predictions on the curve that comes nearest to the MOS in the least-squares sense.

    Args:
        prediction: (n,) finite, not all equal.
        mos: (n,) finite.
        parameters: of the logistic, 4 or 5.

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
    four = _least_squares(logistic4, x, mos, [mos.max(), mos.min(), 0.0, 0.5])
    if parameters == 4:
        return four
    slope = float(np.sign(np.corrcoef(x, mos)[0, 1])) or 1.0
    return _least_squares(logistic5, x, mos, [np.ptp(mos), slope, 0.0, 0.0, mos.mean()])


def _least_squares(curve: Callable[..., Values], x: Values, mos: Values, start: list[float]) -> Values | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)  # of the covariance, which nobody asks for
        try:
            found, _ = curve_fit(curve, x, mos, start, maxfev=20000, ftol=1e-12, xtol=1e-12)
        except RuntimeError:
            return None
    fitted = curve(x, *found)
    return fitted if np.isfinite(fitted).all() else None
