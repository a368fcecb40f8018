"""Weights of branches on the simplex."""

import itertools

import numpy as np
import pytest

from zoomvqa.calibration import fit_fusion, fit_weights
from zoomvqa.calibration.simplex import plcc, weighted
from zoomvqa.scoring.fuse_files import rescaled

DRAW = np.random.default_rng(5)
MOS = DRAW.uniform(20, 85, 60)


def branches(*noise: float) -> np.ndarray:
    return np.stack([rescaled(MOS + np.random.default_rng(i).normal(0, s, 60)) for i, s in enumerate(noise)], 1)


@pytest.mark.parametrize("noise", [(8, 12), (8, 40), (40, 8), (10, 10), (3, 90)])
def test_two_branches_have_the_share_of_the_fusion(noise):
    scores = branches(*noise)
    raw = {f"b{i}": MOS + np.random.default_rng(i).normal(0, s, 60) for i, s in enumerate(noise)}
    weights = fit_fusion(raw, MOS, (0.0, 100.0), "val").weights
    assert fit_weights(scores, MOS).tolist() == list(weights.values())


def test_two_branches_have_the_best_of_the_grid_nearest_to_a_half():
    scores = branches(8, 15)
    figures = {s: plcc(s * scores[:, 0] + (1 - s) * scores[:, 1], MOS) for s in np.linspace(0, 1, 101)}
    assert fit_weights(scores, MOS)[0] == max(figures, key=figures.__getitem__)
    assert fit_weights(np.stack([scores[:, 0]] * 2, 1), MOS).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("noise", [(8, 12, 20), (8, 8, 300), (5, 60, 60)])
def test_three_branches_are_as_good_as_the_best_of_a_grid(noise):
    scores = branches(*noise)
    weights = fit_weights(scores, MOS)
    steps = np.linspace(0, 1, 51)
    grid = [(a, b, 1 - a - b) for a, b in itertools.product(steps, steps) if a + b <= 1 + 1e-12]
    best = max(plcc(weighted(scores, np.array(w)), MOS) for w in grid)
    assert plcc(weighted(scores, weights), MOS) >= best - 1e-9
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert fit_weights(scores.copy(), MOS).tolist() == weights.tolist()


def test_a_branch_that_does_not_help_has_no_weight():
    falling = np.column_stack([branches(6, 9), rescaled(-MOS)])
    weights = fit_weights(falling, MOS)
    assert weights[2] == 0
    assert 0 < weights[1] < weights[0]


def test_ties_are_shared_out_evenly():
    one, other = branches(6, 9).T
    weights = fit_weights(np.column_stack([one, other, one]), MOS)
    assert weights[0] == pytest.approx(weights[2], abs=1e-6)
    assert fit_weights(np.column_stack([one] * 4), MOS).tolist() == [0.25] * 4
    assert fit_weights(np.column_stack([one, np.full(60, 50.0), np.full(60, 50.0)]), MOS) == pytest.approx(1 / 3)
    # The constant changes no figure: 0.5, 0.5 of two others leaves the most equal weights.
    assert fit_weights(np.column_stack([one, one, np.full(60, 50.0)]), MOS).tolist() == pytest.approx([1 / 3] * 3)
    assert fit_weights(np.column_stack([one, rescaled(-MOS), np.full(60, 50.0)]), MOS).tolist() == [0.5, 0, 0.5]


def test_where_nothing_rises_the_best_branch_is_alone():
    falling = np.column_stack([rescaled(-s) for s in branches(5, 300, 5).T])
    assert fit_weights(falling, MOS).argmax() == 1
    assert fit_weights(branches(5), MOS).tolist() == [1.0]


@pytest.mark.parametrize(
    ("scores", "mos"),
    [
        (np.zeros((3, 2)), np.zeros(4)),
        (np.zeros(3), np.zeros(3)),
        (np.zeros((3, 0)), np.zeros(3)),
        (np.zeros((1, 2)), np.zeros(1)),
        (np.full((3, 2), np.nan), np.arange(3.0)),
    ],
)
def test_what_cannot_be_fitted(scores, mos):
    with pytest.raises(ValueError, match="scores and mos"):
        fit_weights(scores, mos)
