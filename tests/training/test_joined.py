"""Several sets trained together."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from zoomvqa.data.batch import labels_of
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.losses import build_loss
from zoomvqa.settings.branch import Mixing
from zoomvqa.settings.loss import loss_settings
from zoomvqa.training.joined import Joined
from zoomvqa.training.mixing import mix

DRAW = torch.Generator().manual_seed(0)
SCORE, MOS = torch.rand(12, generator=DRAW), torch.rand(12, generator=DRAW)
SETS = torch.tensor([0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0])
JOINED = Joined(("a", "b"), (1.0, 3.0), SETS)


def test_a_loss_never_compares_videos_of_two_sets():
    loss = build_loss(loss_settings(name="plcc_rank"))
    ours = JOINED.loss(loss, SCORE, MOS, SETS)
    one, other = (loss(SCORE[s == SETS], MOS[s == SETS]) for s in (0, 1))
    torch.testing.assert_close(ours, (8 * one + 3 * 4 * other) / (8 + 12))
    # What the other set's scores mean does not matter.
    moved = torch.where(SETS == 1, SCORE * 7 + 100, SCORE)
    rank = build_loss(loss_settings(name="plcc"))
    torch.testing.assert_close(JOINED.loss(rank, moved, MOS, SETS), JOINED.loss(rank, SCORE, MOS, SETS))
    assert rank(moved, MOS) != pytest.approx(float(rank(SCORE, MOS)), abs=1e-3)


def test_equal_weights_leave_a_loss_of_single_samples_as_it_is():
    loss = build_loss(loss_settings(name="smooth_l1"))
    even = Joined(("a", "b"), (1.0, 1.0), SETS)
    torch.testing.assert_close(even.loss(loss, SCORE, MOS, SETS), loss(SCORE, MOS))


def test_a_batch_of_one_set_has_that_set_s_loss():
    loss = build_loss(loss_settings(name="plcc"))
    torch.testing.assert_close(JOINED.loss(loss, SCORE, MOS, torch.ones(12, dtype=torch.int64)), loss(SCORE, MOS))


def test_a_set_with_one_sample_gives_no_gradient_and_no_nan():
    score = SCORE.clone().requires_grad_()
    sets = torch.zeros(12, dtype=torch.int64)
    sets[3] = 1
    JOINED.loss(build_loss(loss_settings(name="plcc_rank")), score, MOS, sets).backward()
    assert score.grad is not None
    assert score.grad.isfinite().all()
    assert score.grad[3] == 0
    assert (score.grad != 0).sum() == 11


def test_figures_are_each_set_s():
    index = torch.tensor([4, 1, 0, 2, 3, 5, 7, 6])
    figures, each = JOINED.figures((index, SCORE[index], MOS[index]))
    for number, name in enumerate("ab"):
        chosen = index[SETS[index] == number]
        assert each[name].srcc == pytest.approx(spearmanr(SCORE[chosen], MOS[chosen])[0], abs=1e-6)
        assert each[name].videos == 4
    assert figures.srcc == pytest.approx((each["a"].srcc + each["b"].srcc) / 2)
    assert figures.rmse == pytest.approx(float(np.sqrt(np.mean((SCORE[:8] - MOS[:8]).numpy() ** 2))), abs=1e-6)
    assert figures.videos == 8


def test_a_set_without_correlations_is_left_out_of_their_mean():
    index = torch.tensor([0, 3, 4, 1])
    figures, each = JOINED.figures((index, SCORE[index], MOS[index]))
    assert np.isnan(each["b"].srcc)
    assert figures.srcc == each["a"].srcc


def test_one_set_is_not_joined():
    video = LabelledVideo("x", Path("x"), 1.5, "x", "val", set=1)
    assert Joined.of(LabelledSet("a", (video,), (0.0, 1.0)), [video]) is None
    joined = Joined.of(LabelledSet("a+b", (video,), (0.0, 100.0), ("a", "b"), (1.0, 2.0)), [video])
    assert joined is not None
    assert (joined.names, joined.weights, joined.validated.tolist()) == (("a", "b"), (1.0, 2.0), [1])
    mos, sets = labels_of([video])
    assert (mos.tolist(), sets.tolist(), mos.dtype, sets.dtype) == ([1.5], [1], torch.float32, torch.int64)


def test_only_views_of_one_set_are_mixed():
    torch.manual_seed(0)
    views = torch.rand(12, 3, 4, 4)
    for _ in range(20):
        mixed = mix(views, Mixing(mixup=1.0), SETS)
        assert mixed is not None
        assert torch.equal(SETS[mixed.partner], SETS)
        assert sorted(mixed.partner.tolist()) == list(range(12))
    torch.manual_seed(1)
    alone = mix(views, Mixing(mixup=1.0))
    torch.manual_seed(1)
    together = mix(views, Mixing(mixup=1.0), torch.zeros(12, dtype=torch.int64))
    assert alone is not None
    assert together is not None
    assert torch.equal(alone.partner, together.partner)
