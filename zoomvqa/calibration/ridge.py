"""Ridge regression in closed form, its penalty chosen by leaving out whole contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
_PENALTIES = tuple(float(10.0**power) for power in np.arange(-4.0, 3.01, 0.5))
_FOLDS = 8


@dataclass(frozen=True)
class Ridge:
    """A linear model: `bias + features @ weight`.

    Attributes:
        weight: (p,) per unit of each feature.
        bias: in units of the target.
        penalty: that was chosen, as a share of the mean eigenvalue of the Gram matrix.
        left_out: (n,) predictions of the samples it was fitted on, each by a model without its content, at the
            chosen penalty.
    """

    weight: Values
    bias: float
    penalty: float
    left_out: Values

    def __call__(self, features: Values) -> Values:
        """Return the (n,) predictions of (n, p) features."""
        return features @ self.weight + self.bias


def fit_ridge(
    features: Values, target: Values, contents: Sequence[str], penalties: Sequence[float] = _PENALTIES
) -> Ridge:
    """Return the ridge regression of a target on features that are brought to unit deviation first.

    The penalty is the one with the smallest squared error on contents that were left out: 8 folds of whole
    contents, or as many as there are contents.

    Args:
        features: (n, p) finite.
        target: (n,) finite.
        contents: of each sample; samples of one content are left out together.
        penalties: that are tried, as shares of the mean eigenvalue of the features' Gram matrix.

    Raises:
        ValueError: the lengths differ, a value is not finite, or there are fewer than two contents.
    """
    if features.ndim != 2 or not len(features) == len(target) == len(contents):
        raise ValueError("features, target and contents: expected as many of each")
    if not (np.isfinite(features).all() and np.isfinite(target).all()):
        raise ValueError("features and target must be finite")
    folds = _folds(contents)
    if len(np.unique(folds)) < 2:
        raise ValueError("expected samples of at least two contents")
    left_out = np.empty((len(penalties), len(target)))
    for fold in np.unique(folds):
        out = folds == fold
        left_out[:, out] = [_of(w, b, features[out]) for w, b in _solved(features[~out], target[~out], penalties)]
    best = int(np.argmin(((left_out - target) ** 2).mean(axis=1)))
    ((weight, bias),) = _solved(features, target, (penalties[best],))
    return Ridge(weight, bias, penalties[best], left_out[best])


def _folds(contents: Sequence[str]) -> NDArray[np.int64]:
    """Return each sample's fold; contents are dealt out in the order of their names."""
    number = {content: place % _FOLDS for place, content in enumerate(sorted(set(contents)))}
    return np.array([number[content] for content in contents])


def _of(weight: Values, bias: float, features: Values) -> Values:
    return features @ weight + bias


def _solved(features: Values, target: Values, penalties: Sequence[float]) -> list[tuple[Values, float]]:
    """Return weight and bias for each penalty, by one decomposition of the smaller Gram matrix."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > 1e-12 * np.maximum(1.0, np.abs(mean)), spread, np.inf)  # a constant has no weight
    x, y = (features - mean) / scale, target - target.mean()
    wide = x.shape[1] > x.shape[0]
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    values = values.clip(min=0.0)
    seen = vectors.T @ (y if wide else x.T @ y)
    unit = max(float(values.mean()), 1e-12)
    found = []
    for penalty in penalties:
        inner = vectors @ (seen / (values + penalty * unit))
        weight = (x.T @ inner if wide else inner) / scale
        found.append((weight, float(target.mean() - mean @ weight)))
    return found
