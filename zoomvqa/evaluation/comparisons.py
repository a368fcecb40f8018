"""Which of several methods is better on a set: each two by SRCC, PLCC and RMSE, corrected for their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoomvqa.evaluation.agree import Judged
from zoomvqa.metrics.agreement import in_unit
from zoomvqa.metrics.bootstrap import Comparison, compare, holm
from zoomvqa.metrics.curves import fit_curve

# What is compared: SRCC of predictions as they are, the others after the logistic, as papers tell them.
FIGURES = ("srcc", "plcc_fit", "rmse_fit")
_NAMES = {"srcc": "SRCC", "plcc_fit": "fitted PLCC", "rmse_fit": "fitted RMSE"}


class Pair(NamedTuple):
    """Two methods compared by one figure.

    Attributes:
        first: name of a method.
        second: name of the other.
        videos: how many both have scored.
        figure: one of `FIGURES`.
        found: the comparison, or why there is none.
    """

    first: str
    second: str
    videos: int
    figure: str
    found: Comparison | str


def compare_all(methods: Mapping[str, Judged], resamples: int, parameters: int = 4) -> list[Pair]:
    """Compare each two methods on the videos that both have scored, by each of `FIGURES`.

    p values of one figure are corrected, after Holm, for the number of pairs.

    Args:
        methods: predictions on one set, by the method's name.
        resamples: sets of videos drawn.
        parameters: of the logistic, 4 or 5.
    """
    pairs = [
        Pair(first, second, len(_shared(methods[first], methods[second])), figure, found)
        for first, second in combinations(methods, 2)
        for figure, found in _compared(methods[first], methods[second], resamples, parameters).items()
    ]
    for figure in FIGURES:
        places = [at for at, p in enumerate(pairs) if p.figure == figure and isinstance(p.found, Comparison)]
        if len(places) < 2:
            continue
        corrected = holm([pairs[at].found.p for at in places])  # type: ignore[union-attr]
        for at, p in zip(places, corrected, strict=True):
            pairs[at] = pairs[at]._replace(found=pairs[at].found._replace(corrected=p))  # type: ignore[union-attr]
    return pairs


def _shared(first: Judged, second: Judged) -> list[str]:
    known = set(second.names)
    return [name for name in first.names if name in known]


def _compared(first: Judged, second: Judged, resamples: int, parameters: int) -> dict[str, Comparison | str]:
    names = _shared(first, second)
    scores = [_of(names, judged, judged.score) for judged in (first, second)]
    mos = _of(names, first, first.mos)
    contents = None if first.contents is None else _of(names, first, first.contents).astype(np.int64)
    fitted = [_fitted(score, mos, parameters) for score in scores]
    found: dict[str, Comparison | str] = {}
    for figure in FIGURES:
        values: Sequence[NDArray[np.float64] | None] = scores if figure == "srcc" else fitted
        kind, name = figure.removesuffix("_fit"), _NAMES[figure]
        one, other = values
        if one is None or other is None:
            found[figure] = f"{name} is not compared: no logistic fits"
            continue
        try:
            found[figure] = compare(one, other, mos, resamples, contents=contents, kind=kind, name=name)
        except ValueError as error:
            found[figure] = str(error)
    return found


def _of(names: Sequence[str], judged: Judged, values: NDArray) -> NDArray[np.float64]:
    """Return the values of some videos."""
    place = {name: at for at, name in enumerate(judged.names)}
    return np.array([values[place[name]] for name in names], np.float64)


def _fitted(score: NDArray[np.float64], mos: NDArray[np.float64], parameters: int) -> NDArray[np.float64] | None:
    if not len(score) or np.ptp(score) == 0 or np.ptp(mos) == 0:
        return None
    x, unit = in_unit(score)
    return fit_curve(x, mos, parameters, unit)
