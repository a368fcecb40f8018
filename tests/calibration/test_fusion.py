"""The calibration of two branches and of their average."""

import numpy as np
import pytest
import torch

from zoomvqa.calibration import FusionScale, fit_fusion
from zoomvqa.errors import AnnotationError
from zoomvqa.scoring.fuse_files import rescaled

DRAW = np.random.default_rng(0)
MOS = DRAW.uniform(20, 85, 40)
IQA = MOS + DRAW.normal(0, 8, 40)
VQA = MOS / 500 + DRAW.normal(0, 0.03, 40) - 0.1


def test_the_average_is_the_release_s_on_the_set_it_was_fitted_on():
    scale = fit_fusion(IQA, VQA, MOS, (0.0, 100.0), "val")
    average = scale.averaged(torch.from_numpy(IQA), torch.from_numpy(VQA)).numpy()
    np.testing.assert_allclose(average, 0.5 * rescaled(IQA) + 0.5 * rescaled(VQA), atol=1e-9)


def test_scores_are_in_mos_units_and_better_than_either_branch():
    scale = fit_fusion(IQA, VQA, MOS, (0.0, 100.0), "val")
    fused = scale.fused(torch.from_numpy(IQA), torch.from_numpy(VQA)).numpy()

    def rmse(predicted) -> float:
        return float(np.sqrt(np.mean((np.asarray(predicted) - MOS) ** 2)))

    alone = [rmse(s.logistic(torch.from_numpy(x))) for s, x in ((scale.iqa, IQA), (scale.vqa, VQA))]
    assert rmse(fused) < min(alone) < 20
    assert (scale.split, scale.videos, scale.share) == ("val", 40, 0.5)


def test_one_score_alone_is_the_same():
    scale = fit_fusion(IQA, VQA, MOS, (0.0, 100.0), "train")
    together = scale.fused(torch.from_numpy(IQA), torch.from_numpy(VQA))
    alone = [float(scale.fused(torch.tensor(a), torch.tensor(b))) for a, b in zip(IQA, VQA, strict=True)]
    assert alone == pytest.approx(together.tolist(), abs=1e-9)


def test_a_fitted_share_leaves_out_what_does_not_help():
    noise = np.random.default_rng(3).normal(size=40) + 1e-2 * MOS
    assert fit_fusion(IQA, noise, MOS, (0.0, 100.0), "val", None).share > 0.8
    assert fit_fusion(IQA, IQA, MOS, (0.0, 100.0), "val", None).share == 0.5


def test_scores_that_fall():
    with pytest.raises(AnnotationError, match="the VQA branch's scores cannot be calibrated on the 40 videos"):
        fit_fusion(IQA, -VQA, MOS, (0.0, 100.0), "val")
    with pytest.raises(AnnotationError, match="fewer than 5 videos"):
        fit_fusion(IQA[:4], VQA[:4], MOS[:4], (0.0, 100.0), "val")


def test_there_and_back_as_plain_data():
    scale = fit_fusion(IQA, VQA, MOS, (0.0, 100.0), "val")
    assert FusionScale.model_validate(scale.model_dump(mode="json")) == scale
