"""The late fusion of Zoom-VQA (arXiv 2304.06440), with its calibration kept: a single video has a score.

The release rescales each branch over the whole set that is scored: z = (s − mean) / std, then 100 / (1 + e^−z),
and averages the two. Here mean and std are those of labelled videos, once, and a logistic brings the result to MOS
units.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat
from torch import Tensor

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
    """How two branches become one score.

    Attributes:
        iqa, vqa: the branches.
        share: of the IQA branch in the average; the VQA branch has the rest.
        logistic: from the average to MOS units.
        split: which videos it was fitted on; `folds` are training videos, scored by networks that were trained
            without their contents, and validation videos.
        videos: how many.
    """

    iqa: BranchScale
    vqa: BranchScale
    share: Fraction01
    logistic: Logistic
    split: Literal["train", "val", "folds"]
    videos: int

    def averaged(self, iqa: Tensor, vqa: Tensor) -> Tensor:
        """Return the weighted average of both branches' rescaled scores, 0..100."""
        return self.share * self.iqa.rescaled(iqa) + (1 - self.share) * self.vqa.rescaled(vqa)

    def fused(self, iqa: Tensor, vqa: Tensor) -> Tensor:
        """Return the fused score in MOS units of both branches' own scores, of any shape."""
        return self.logistic(self.averaged(iqa, vqa))


def fit_fusion(
    iqa: NDArray[np.float64],
    vqa: NDArray[np.float64],
    mos: NDArray[np.float64],
    mos_range: tuple[float, float],
    split: Literal["train", "val", "folds"],
    share: float | None = 0.5,
) -> FusionScale:
    """Fit the calibration of both branches and of their average.

    Args:
        iqa: (n,) the IQA branch's own scores.
        vqa: (n,) the VQA branch's.
        mos: (n,) of the same videos.
        mos_range: lowest and highest score of the scale.
        split: which videos these are.
        share: of the IQA branch; None takes the one of 0, 0.01, …, 1 whose average agrees best with the MOS
            (PLCC), the nearest to a half where several do.

    Raises:
        AnnotationError: there are too few videos, or a branch's scores do not rise with the MOS.
    """
    scales = {
        name: BranchScale(
            mean=float(score.mean()),
            std=float(score.std()),
            logistic=_logistic(score, mos, mos_range, f"the {name.upper()} branch's scores", split),
        )
        for name, score in (("iqa", iqa), ("vqa", vqa))
    }
    both = [scales[name].rescaled(torch.from_numpy(s)).numpy() for name, s in (("iqa", iqa), ("vqa", vqa))]
    if share is None:
        share = float(fit_weights(np.stack(both, axis=1), mos)[0])
    average = share * both[0] + (1 - share) * both[1]
    return FusionScale(
        **scales,
        share=share,
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
