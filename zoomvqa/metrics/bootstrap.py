"""Figures of resampled sets of videos: intervals, and whether one predictor is better than another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Values = NDArray[np.float64]
Contents = NDArray[np.int64]
# Numbers that are held at a time: resamples times videos.
_AT_ONCE = 2_000_000


# With fewer videos, or contents, resampling says nothing.
FEWEST = 10


def resampled(
    prediction: Values, mos: Values, kind: str, count: int, seed: int = 0, contents: Contents | None = None
) -> Values:
    """Return a figure of `count` sets of videos, drawn with replacement.

    Videos of one content are alike, and are no independent witnesses: where contents are told, whole contents are
    drawn, as many as there are.

    Args:
        prediction: (n,).
        mos: (n,).
        kind: `srcc`, `plcc` or `rmse`.
        count: how many sets.
        seed: of the draws; the same seed draws the same videos, so that two predictors can be compared.
        contents: (n,) numbers of the videos' contents.

    Returns:
        (count,); correlations are NaN where all predictions or all MOS of a set are equal.
    """
    draws = _draws(len(mos), count, seed) if contents is None else _content_draws(contents, count, seed)
    return np.concatenate([_figure(prediction[drawn], mos[drawn], kind) for drawn in draws])


def interval(values: Values, share: float = 0.95) -> tuple[float, float] | None:
    """Return between which two values a share of (n,) values lies, NaN left out; None where all are NaN."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


class Comparison(NamedTuple):
    """Whether one predictor is better than another by a figure.

    Attributes:
        difference: figure of the first less that of the second.
        interval: 95 % of the differences on resampled sets of videos lie within.
        p: two-sided: how often resampling turns the difference round, twice; at least 2 / (resamples + 1).
        name: of the figure.
        corrected: p after a correction for several comparisons; None where there is none.
    """

    difference: float
    interval: tuple[float, float]
    p: float
    name: str = "SRCC"
    corrected: float | None = None

    @property
    def told(self) -> str:
        """The comparison as a sentence."""
        low, high = self.interval
        p = self.p if self.corrected is None else self.corrected
        verdict = "the difference is significant" if p < 0.05 else "no significant difference"
        corrected = "" if self.corrected is None else f" ({p:.4f} after Holm)"
        return (
            f"{self.name} differs by {self.difference:+.4f} [{low:+.4f}, {high:+.4f}], "
            f"p = {self.p:.4f}{corrected}: {verdict}"
        )


def holm(values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number after Holm (1979), in their order.

    With any dependence between them, the chance of one or more false differences stays below the level.
    """
    order = sorted(range(len(values)), key=lambda at: values[at])
    found, largest = [0.0] * len(values), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[at]))
        found[at] = largest
    return found


def compare(
    first: Values,
    second: Values,
    mos: Values,
    resamples: int = 2000,
    seed: int = 0,
    contents: Contents | None = None,
    kind: str = "srcc",
    name: str | None = None,
) -> Comparison:
    """Compare a figure of two predictors on the same videos by a paired bootstrap.

    The same sets of videos are drawn for both, so that what the predictors have in common counts for both.

    Args:
        first: (n,) predictions.
        second: (n,) predictions.
        mos: (n,).
        resamples: sets of videos drawn.
        seed: of the draws.
        contents: (n,) numbers of the videos' contents; see `resampled`.
        kind: `srcc`, `plcc` or `rmse`.
        name: what the figure is called; None takes its kind.

    Raises:
        ValueError: a correlation is not defined, or there are fewer than ten videos, or contents.
    """
    everything = np.arange(len(mos))[None]
    scores = [_figure(p[everything], mos[everything], kind)[0] for p in (first, second)]
    drawn = len(mos) if contents is None else len(np.unique(contents))
    if drawn < FEWEST:
        raise ValueError(f"{drawn} {'videos' if contents is None else 'contents'} are too few to compare by")
    if not np.isfinite(scores).all():
        raise ValueError("a comparison needs predictions and MOS that are not all equal")
    one, other = (resampled(p, mos, kind, resamples, seed, contents) for p in (first, second))
    apart = (one - other)[np.isfinite(one - other)]
    turned = min(int((apart <= 0).sum()), int((apart >= 0).sum()))
    within = interval(apart)
    assert within is not None  # noqa: S101  some set of ten has differing scores
    p = min(1.0, 2 * (turned + 1) / (len(apart) + 1))
    return Comparison(float(scores[0] - scores[1]), within, p, name or kind.upper())


def _draws(videos: int, count: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield (some, videos) numbers of videos, `count` rows in all."""
    random, step = np.random.default_rng(seed), max(1, _AT_ONCE // max(1, videos))
    for done in range(0, count, step):
        yield random.integers(videos, size=(min(step, count - done), videos))


def _content_draws(contents: Contents, count: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield (1, some) numbers of videos, `count` times: those of as many contents as there are."""
    random, names = np.random.default_rng(seed), np.unique(contents)
    members = [np.flatnonzero(contents == name) for name in names]
    for _ in range(count):
        yield np.concatenate([members[at] for at in random.integers(len(members), size=len(members))])[None]


def _figure(x: Values, y: Values, kind: str) -> Values:
    """Return a figure of each row of two (rows, n) arrays."""
    if kind == "rmse":
        return np.sqrt(np.mean((x - y) ** 2, axis=1))
    if kind not in {"srcc", "plcc"}:
        raise ValueError(f"kind: got {kind!r}, expected srcc, plcc or rmse")
    return _correlations(x, y, kind)


def _correlations(x: Values, y: Values, kind: str) -> Values:
    """Return the correlation of each row of two (rows, n) arrays."""
    flat = (np.ptp(x, axis=1) == 0) | (np.ptp(y, axis=1) == 0)
    if kind == "srcc":
        x, y = rankdata(x, axis=1), rankdata(y, axis=1)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    below = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(flat | (below == 0), np.nan, (x * y).sum(axis=1) / below)
