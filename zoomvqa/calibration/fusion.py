"""The late fusion of Zoom-VQA (arXiv 2304.06440), with its calibration kept: a single video has a score.

The release rescales each branch over the whole set that is scored: z = (s − mean) / std, then 100 / (1 + e^−z),
and averages them. Here mean and std are those of labelled videos, once, and a logistic brings the result to MOS
units.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat, model_validator
from torch import Tensor
from typing_extensions import Self

from zoomvqa.calibration.logistic import FEWEST, Logistic, fit_logistic
from zoomvqa.calibration.simplex import fit_weights
from zoomvqa.errors import AnnotationError
from zoomvqa.settings.base import Settings
from zoomvqa.settings.shared import Fraction01


class BranchScale(Settings):
    """What a branch's scores are like.

    Attributes:
        mean, std: over the labelled videos; std is the population's, as in the release.
        logistic: from its scores to MOS units.
    """

    mean: float
    std: PositiveFloat
    logistic: Logistic

    def rescaled(self, score: Tensor) -> Tensor:
        """Return 100 / (1 + e^−z) of scores, 0..100."""
        return 100.0 * torch.sigmoid((score - self.mean) / self.std)


class FusionScale(Settings):
    """How branches become one score.

    Attributes:
        branches: what the scores of each are like, by name.
        weights: of each in the average; their sum is 1.
        logistic: from the average to MOS units.
        split: which videos it was fitted on; `folds` are training videos, scored by networks that were trained
            without their contents, and validation videos.
        videos: how many.
    """

    branches: dict[str, BranchScale]
    weights: dict[str, Fraction01]
    logistic: Logistic
    split: Literal["train", "val", "folds"]
    videos: int

    @model_validator(mode="after")
    def _same_names(self) -> Self:
        if not self.branches or list(self.branches) != list(self.weights):
            raise ValueError("weights: expected one for each of the branches, in their order")
        return self

    def averaged(self, scores: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted average of the branches' rescaled scores, 0..100."""
        parts = [self.weights[name] * scale.rescaled(scores[name]) for name, scale in self.branches.items()]
        return reduce(add, parts)

    def fused(self, scores: Mapping[str, Tensor]) -> Tensor:
        """Return the fused score in MOS units of the branches' own scores, of any shape."""
        return self.logistic(self.averaged(scores))


def fit_fusion(
    scores: Mapping[str, NDArray[np.float64]],
    mos: NDArray[np.float64],
    mos_range: tuple[float, float],
    split: Literal["train", "val", "folds"],
    weights: Mapping[str, float] | None = None,
) -> FusionScale:
    """Fit the calibration of each branch and of their average.

    Args:
        scores: (n,) each branch's own scores, by name.
        mos: (n,) of the same videos.
        mos_range: lowest and highest score of the scale.
        split: which videos these are.
        weights: of each branch, as many as there are, whose sum is 1; None takes those whose average agrees best
            with the MOS (PLCC), see `zoomvqa.calibration.simplex`.

    Raises:
        AnnotationError: there are too few videos, or a branch's scores do not rise with the MOS.
    """
    scales = {
        name: BranchScale(
            mean=float(score.mean()),
            std=float(score.std()),
            logistic=_logistic(score, mos, mos_range, f"the {name.upper()} branch's scores", split),
        )
        for name, score in scores.items()
    }
    rescaled = [scales[name].rescaled(torch.from_numpy(score)).numpy() for name, score in scores.items()]
    if weights is None:
        weights = dict(zip(scores, fit_weights(np.stack(rescaled, axis=1), mos).tolist(), strict=True))
    average = reduce(add, (weights[name] * own for name, own in zip(scores, rescaled, strict=True)))
    return FusionScale(
        branches=scales,
        weights={name: weights[name] for name in scores},
        logistic=_logistic(average, mos, mos_range, "the fused scores", split),
        split=split,
        videos=len(mos),
    )


def _logistic(
    score: NDArray[np.float64], mos: NDArray[np.float64], mos_range: tuple[float, float], what: str, split: str
) -> Logistic:
    found = fit_logistic(score, mos, mos_range)
    if found is None:
        raise AnnotationError(
            f"{what} cannot be calibrated on the {len(mos)} videos of the {split} split: they do not rise with "
            f"the MOS, or there are fewer than {FEWEST} videos"
        )
    return found
