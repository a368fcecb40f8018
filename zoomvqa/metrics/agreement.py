"""How well predictions agree with MOS, as a paper reports it: with the fitted curve, intervals and outliers."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zoomvqa.metrics.bootstrap import FEWEST, Contents, interval, resampled
from zoomvqa.metrics.curves import fit_curve
from zoomvqa.metrics.video import figures_of

Values = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class Agreement:
    """Figures of one set; None is what is not defined there, and `notes` says why.

    Attributes:
        videos: how many.
        srcc: Spearman's rank correlation.
        plcc: Pearson's correlation of the predictions as they are.
        krcc: Kendall's tau-b.
        rmse: of the predictions as they are, in units of the MOS; None where they have no unit.
        plcc_fit, rmse_fit: after the logistic fit.
        outlier_ratio: share of videos whose fitted prediction is further from the MOS than `outlier_bound`; None
            where the opinions' spread is not known.
        outlier_bound: two standard errors of the MOS (VQEG, ITU-T P.1401), or, where the number of votes is not
            known, two standard deviations of the opinions, which is some five times as wide.
        srcc_interval, plcc_interval, plcc_fit_interval: 95 % of resampled sets of videos lie within.
        notes: what is missing, and why.
    """

    videos: int
    srcc: float | None
    plcc: float | None
    krcc: float | None
    rmse: float | None
    plcc_fit: float | None
    rmse_fit: float | None
    outlier_ratio: float | None = None
    outlier_bound: str | None = None
    srcc_interval: Range | None = None
    plcc_interval: Range | None = None
    plcc_fit_interval: Range | None = None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        return asdict(self)


def agreement(
    prediction: Values,
    mos: Values,
    std: Values | None = None,
    *,
    votes: Values | None = None,
    contents: Contents | None = None,
    parameters: int = 4,
    resamples: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Return the figures of (n,) predictions against (n,) MOS.

    Args:
        prediction: finite.
        mos: finite.
        std: standard deviations of the opinions on each video, where they are known.
        votes: numbers of opinions on each video, where they are known.
        contents: (n,) numbers of the videos' contents, where they are known: intervals then are of resampled
            contents.
        parameters: of the logistic, 4 or 5.
        resamples: sets of videos drawn for the intervals; 0 leaves them out.
        seed: of the draws.

    Raises:
        ValueError: there is no video, the shapes differ, or a value is not finite.
    """
    told, y = np.asarray(prediction, np.float64), np.asarray(mos, np.float64)
    x, unit = in_unit(told)
    raw = figures_of(torch.from_numpy(x), torch.from_numpy(y))
    notes = []
    fitted = None
    if math.isnan(raw.srcc):
        what = "predictions" if np.ptp(x) == 0 or len(x) == 1 else "MOS"
        notes.append("one video has no correlation" if len(x) == 1 else f"all {what} are equal")
    else:
        fitted = fit_curve(x, y, parameters, unit)
        if fitted is None:
            few = len(x) <= parameters
            notes.append(f"{len(x)} videos are too few for a logistic" if few else "no logistic fits")
    after = None if fitted is None else figures_of(torch.from_numpy(fitted), torch.from_numpy(y))
    if after is not None and math.isnan(after.plcc):
        notes.append("the logistic that fits is flat")
    within: dict[str, Range | None] = {}
    if resamples and not math.isnan(raw.srcc):
        drawn = len(x) if contents is None else len(np.unique(contents))
        if drawn >= FEWEST:
            within = _intervals(x, y, fitted, resamples, seed, contents)
        else:
            notes.append(f"{drawn} {'videos' if contents is None else 'contents'} are too few for intervals")
    bound, told_bound, why = outlier_bound(std, votes)
    if why and fitted is not None:
        notes.append(why)
    outliers = None if fitted is None or bound is None else float(np.mean(np.abs(fitted - y) > bound))
    return Agreement(
        len(x), _told(raw.srcc), _told(raw.plcc), _told(raw.krcc), float(np.sqrt(np.mean((told - y) ** 2))),
        _told(after.plcc) if after else None, after.rmse if after else None,
        outliers, None if outliers is None else told_bound, **within, notes=tuple(notes),
    )  # fmt: skip


def in_unit(prediction: Values) -> tuple[Values, float]:
    """Return predictions divided by their largest, and that: fits do not depend on it, arithmetic has limits."""
    unit = float(np.abs(prediction).max()) if len(prediction) and np.isfinite(prediction).all() else 1.0
    return (prediction / unit, unit) if unit > 0 else (prediction, unit)


def _intervals(
    x: Values, y: Values, fitted: Values | None, resamples: int, seed: int, contents: Contents | None
) -> dict[str, Range | None]:
    """Return the intervals; the fitted curve stays that of all videos."""
    found: dict[str, Range | None] = {}
    for name, values, kind in (("srcc", x, "srcc"), ("plcc", x, "plcc"), ("plcc_fit", fitted, "plcc")):
        if values is not None:
            found[f"{name}_interval"] = interval(resampled(values, y, kind, resamples, seed, contents))
    return found


def outlier_bound(std: Values | None, votes: Values | None = None) -> tuple[Values | None, str | None, str]:
    """Return how far a prediction may be from each MOS, what that is called, and what must be said of it.

    Args:
        std: (n,) standard deviations of the opinions, NaN where they are not known.
        votes: (n,) numbers of the opinions, likewise.
    """
    if std is None or not np.isfinite(std).all():
        return None, None, ""
    if (std == 0).all():
        return None, None, "all standard deviations of the opinions are 0: no outlier ratio"
    if votes is None or not np.isfinite(votes).all():
        why = (
            "outlier ratio by 2 standard deviations of the opinions, not by 2 standard errors of the MOS "
            "(VQEG, ITU-T P.1401): the number of votes is not known; name its column in data.columns.votes"
        )
        return 2 * std, "2 standard deviations of the opinions", why
    return 2 * std / np.sqrt(votes), "2 standard errors of the MOS", ""


def _told(value: float) -> float | None:
    return value if math.isfinite(value) else None
