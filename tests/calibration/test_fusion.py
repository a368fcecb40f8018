"""The calibration of branches and of their average."""

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
RANGE = (0.0, 100.0)
HALF = {"iqa": 0.5, "vqa": 0.5}


def tensors(**scores) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(own) for name, own in scores.items()}


def fitted(iqa=IQA, vqa=VQA, mos=MOS, split="val", weights=HALF) -> FusionScale:
    return fit_fusion({"iqa": iqa, "vqa": vqa}, mos, RANGE, split, weights)


def test_the_average_is_the_release_s_on_the_set_it_was_fitted_on():
    scale = fitted()
    average = scale.averaged(tensors(iqa=IQA, vqa=VQA)).numpy()
    np.testing.assert_allclose(average, 0.5 * rescaled(IQA) + 0.5 * rescaled(VQA), atol=1e-9)


def test_scores_are_in_mos_units_and_better_than_either_branch():
    scale = fitted()
    fused = scale.fused(tensors(iqa=IQA, vqa=VQA)).numpy()

    def rmse(predicted) -> float:
        return float(np.sqrt(np.mean((np.asarray(predicted) - MOS) ** 2)))

    alone = [
        rmse(s.logistic(torch.from_numpy(x)))
        for s, x in ((scale.branches["iqa"], IQA), (scale.branches["vqa"], VQA))
    ]
    assert rmse(fused) < min(alone) < 20
    assert (scale.split, scale.videos, scale.weights) == ("val", 40, HALF)


def test_one_score_alone_is_the_same():
    scale = fitted(split="train")
    together = scale.fused(tensors(iqa=IQA, vqa=VQA))
    alone = [float(scale.fused(tensors(iqa=a, vqa=b))) for a, b in zip(IQA, VQA, strict=True)]
    assert alone == pytest.approx(together.tolist(), abs=1e-9)


def test_fitted_weights_leave_out_what_does_not_help():
    noise = np.random.default_rng(3).normal(size=40) + 1e-2 * MOS
    assert fitted(vqa=noise, weights=None).weights["iqa"] > 0.8
    assert fitted(vqa=IQA, weights=None).weights == HALF


def test_any_number_of_branches():
    third = MOS + np.random.default_rng(4).normal(0, 4, 40)
    scores = {"technical": IQA, "aesthetic": VQA, "frames_of_it": third}
    best = fit_fusion(scores, MOS, RANGE, "val", None)
    assert sum(best.weights.values()) == pytest.approx(1.0)
    assert max(best.weights, key=lambda name: best.weights[name]) == "frames_of_it"

    def plcc(scale) -> float:
        return float(np.corrcoef(scale.averaged(tensors(**scores)).numpy(), MOS)[0, 1])

    equal = fit_fusion(scores, MOS, RANGE, "val", dict.fromkeys(scores, 1 / 3))
    assert plcc(best) > plcc(equal)
    average = equal.averaged(tensors(**scores)).numpy()
    np.testing.assert_allclose(average, sum(rescaled(own) for own in scores.values()) / 3, atol=1e-9)


def test_weights_of_other_branches():
    values = fitted().model_dump()
    with pytest.raises(ValueError, match="expected one for each of the branches"):
        FusionScale.model_validate(values | {"weights": {"iqa": 1.0}})


def test_scores_that_fall():
    with pytest.raises(AnnotationError, match="the VQA branch's scores cannot be calibrated on the 40 videos"):
        fitted(vqa=-VQA)
    with pytest.raises(AnnotationError, match="fewer than 5 videos"):
        fitted(IQA[:4], VQA[:4], MOS[:4])


def test_there_and_back_as_plain_data():
    scale = fitted()
    assert FusionScale.model_validate(scale.model_dump(mode="json")) == scale
