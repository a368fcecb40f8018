"""Weights of several branches, on the simplex, whose average agrees best with the MOS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
# Figures that are equal to so many decimals are a tie.
_DECIMALS = 9
# Squared weights count so much beside squared errors: of branches that are multiples of each other the errors tell
# the sum alone, and this shares it out evenly.
_RIDGE = 1e-10


def fit_weights(scores: Values, mos: Values) -> Values:
    """Return the weights whose weighted average of branches has the highest PLCC with the MOS.

    Two branches: the best share of 0, 0.01, …, 1, the nearest to a half where several are the best. More branches:
    of all sums with weights of 0 or more, the one with the highest correlation is the solution of non-negative
    least squares on centred scores, which is exact and needs no start. Where no weights give a positive PLCC, the
    best branch alone has the highest. On ties weights are the more equal ones: equal weights are taken where they
    are as good to nine decimals, branches that are multiples of each other share their weight, and a branch whose
    scores are all equal, which changes no figure, gets the weight that makes all most equal. The same input gives
    the same weights.

    Args:
        scores: (n, branches) float64, finite, in one scale.
        mos: (n,) float64, finite, not all equal.

    Returns:
        (branches,) float64 of 0 or more; their sum is 1.

    Raises:
        ValueError: the shapes differ, a value is not finite, or there are fewer than two videos.
    """
    if scores.ndim != 2 or not scores.shape[1] or mos.shape != scores.shape[:1] or len(mos) < 2:
        raise ValueError("scores and mos: expected (n, branches) and (n,), n of 2 or more")
    if not (np.isfinite(scores).all() and np.isfinite(mos).all()):
        raise ValueError("scores and mos must be finite")
    count = scores.shape[1]
    equal = np.full(count, 1.0 / count)
    if count == 1:
        return equal
    if count == 2:
        steps = sorted(np.linspace(0, 1, 101), key=lambda s: abs(s - 0.5))
        share = float(max(steps, key=lambda s: _figure(scores, np.array([s, 1 - s]), mos)))
        return np.array([share, 1 - share])
    alone = np.eye(count)
    found = [equal, _least_squares(scores, mos), *alone]
    return max(found, key=lambda weights: _figure(scores, weights, mos))


def weighted(scores: Values, weights: Values) -> Values:
    """Return the (n,) weighted average of (n, branches) scores, summed from the first branch to the last."""
    total = weights[0] * scores[:, 0]
    for number in range(1, scores.shape[1]):
        total = total + weights[number] * scores[:, number]
    return total


def plcc(one: Values, other: Values) -> float:
    """Return Pearson's correlation of two (n,) arrays; −1 where all of `one` are equal."""
    return float(np.corrcoef(one, other)[0, 1]) if np.ptp(one) > 0 else -1.0


def _figure(scores: Values, weights: Values, mos: Values) -> float:
    return round(plcc(weighted(scores, weights), mos), _DECIMALS)


def _least_squares(scores: Values, mos: Values) -> Values:
    """Return the best weights where some give a positive correlation; else equal ones."""
    from scipy.optimize import nnls  # noqa: PLC0415  scoring fits nothing and is started often

    count = scores.shape[1]
    centred, target = scores - scores.mean(axis=0), mos - mos.mean()
    varies = np.ptp(scores, axis=0) > 0
    unit = float(np.sqrt((centred**2).sum(axis=0).max())) or 1.0
    size = float(np.sqrt((target**2).sum())) or 1.0
    # Rows below the videos': squared weights, added to the squared errors.
    rows = np.vstack([centred[:, varies] / unit, np.sqrt(_RIDGE) * np.eye(int(varies.sum()))])
    raw, _ = nnls(rows, np.concatenate([target / size, np.zeros(int(varies.sum()))]))
    if not raw.sum() > 0:
        return np.full(count, 1.0 / count)
    weights, constant = np.zeros(count), count - int(varies.sum())
    weights[varies] = raw / raw.sum()
    if constant:  # the smallest sum of squares of all weights that leave the others in their proportion
        rest = 1.0 / constant / (float((weights**2).sum()) + 1.0 / constant)
        weights *= rest
        weights[~varies] = (1.0 - rest) / constant
    return weights
