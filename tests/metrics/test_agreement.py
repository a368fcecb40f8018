"""Figures as papers report them, against SciPy and the fitting that public code uses."""

import math

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import bootstrap, kendalltau, pearsonr, spearmanr

from zoomvqa.metrics import agreement, compare
from zoomvqa.metrics.bootstrap import holm, resampled
from zoomvqa.metrics.curves import fit_curve


def made(n=200, seed=0, noise=8.0, scale=1.0):
    random = np.random.default_rng(seed)
    mos = random.uniform(5, 95, n)
    seen = scale * np.log((mos + 3) / (103 - mos)) + scale * noise / 20 * random.standard_normal(n)
    return seen, mos


def as_public_code(x, y):
    """The four-parameter fit as VQA repositories write it, on predictions as they are."""

    def logistic(x, top, bottom, centre, width):
        return bottom + (top - bottom) / (1 + np.exp(-(x - centre) / abs(width)))

    found, _ = curve_fit(logistic, x, y, [y.max(), y.min(), x.mean(), 0.5], maxfev=100_000)
    return logistic(x, *found)


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_scipys(seed):
    x, y = made(seed=seed)
    found = agreement(x, y, resamples=0)
    assert found.srcc == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    assert found.plcc == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
    assert found.krcc == pytest.approx(kendalltau(x, y).statistic, abs=1e-6)
    fitted = as_public_code(x, y)
    assert found.plcc_fit == pytest.approx(pearsonr(fitted, y).statistic, abs=1e-6)
    assert found.rmse_fit == pytest.approx(math.sqrt(np.mean((fitted - y) ** 2)), abs=1e-6 * 90)
    assert found.plcc_fit >= found.plcc


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e5])
def test_the_fit_does_not_depend_on_units(scale):
    x, y = made()
    one, other = agreement(x, y, resamples=0), agreement(x * scale + scale, y, resamples=0)
    assert other.plcc_fit == pytest.approx(one.plcc_fit, abs=1e-9)
    assert other.rmse_fit == pytest.approx(one.rmse_fit, abs=1e-6)


def test_five_parameters_fit_no_worse():
    x, y = made()
    four, five = agreement(x, y, resamples=0), agreement(x, y, parameters=5, resamples=0)
    assert five.rmse_fit <= four.rmse_fit + 1e-6
    with pytest.raises(ValueError, match="expected 4 or 5"):
        fit_curve(x, y, 3)


def test_scores_that_fall_are_fitted_too():
    x, y = made()
    assert agreement(-x, y, resamples=0).plcc_fit == pytest.approx(agreement(x, y, resamples=0).plcc_fit, abs=1e-6)
    assert agreement(-x, y, resamples=0).srcc < 0


def test_intervals_hold_the_figure_and_shrink_with_videos():
    widths = []
    for n in (30, 300):
        found = agreement(*made(n))
        for name in ("srcc", "plcc", "plcc_fit"):
            low, high = getattr(found, f"{name}_interval")
            assert low < getattr(found, name) < high
        widths.append(found.srcc_interval[1] - found.srcc_interval[0])
    assert widths[1] < widths[0] / 2
    assert agreement(*made(30)).srcc_interval == agreement(*made(30)).srcc_interval


def test_intervals_cover_the_truth():
    """Of the 95 % intervals of samples of one large set, about 95 % hold the large set's figure."""
    x, y = made(20_000)
    truth = spearmanr(x, y).statistic
    held = 0
    for seed in range(100):
        chosen = np.random.default_rng(seed).integers(len(x), size=100)
        low, high = agreement(x[chosen], y[chosen], resamples=300, seed=seed).srcc_interval
        held += low <= truth <= high
    assert 87 <= held <= 100


def test_outliers():
    x, y = made()
    assert agreement(x, y, np.full(len(x), 1000.0), resamples=0).outlier_ratio == 0.0
    assert agreement(x, y, np.full(len(x), 1e-9), resamples=0).outlier_ratio == 1.0
    some = agreement(x, y, np.full(len(x), 4.0), resamples=0).outlier_ratio
    assert some == np.mean(np.abs(as_public_code(x, y) - y) > 8)
    assert agreement(x, y, np.full(len(x), np.nan), resamples=0).outlier_ratio is None


def test_outliers_are_further_than_two_standard_errors_where_votes_are_known():
    x, y = made()
    votes = np.random.default_rng(1).integers(9, 64, len(x)).astype(float)
    found = agreement(x, y, np.full(len(x), 20.0), votes=votes, resamples=0)
    assert found.outlier_ratio == np.mean(np.abs(as_public_code(x, y) - y) > 40 / np.sqrt(votes)) > 0
    assert (found.outlier_bound, found.notes) == ("2 standard errors of the MOS", ())
    votes[3] = np.nan
    unknown = agreement(x, y, np.full(len(x), 20.0), votes=votes, resamples=0)
    assert unknown.outlier_ratio < found.outlier_ratio
    assert unknown.outlier_bound == "2 standard deviations of the opinions"
    assert "the number of votes is not known; name its column in data.columns.votes" in unknown.notes[0]


def test_what_is_not_defined_is_none_and_says_why():
    one = agreement(np.array([1.0]), np.array([2.0]))
    assert (one.srcc, one.plcc_fit, one.rmse) == (None, None, 1.0)
    assert one.notes == ("one video has no correlation",)
    two = agreement(np.array([1.0, 2.0]), np.array([2.0, 5.0]))
    assert two.srcc == pytest.approx(1.0)
    assert two.plcc_fit is None
    assert two.notes == ("2 videos are too few for a logistic", "2 videos are too few for intervals")
    flat = agreement(np.ones(20), np.arange(20.0))
    assert (flat.srcc, flat.plcc, flat.krcc, flat.plcc_fit) == (None, None, None, None)
    assert flat.notes == ("all predictions are equal",)
    assert agreement(np.arange(20.0), np.ones(20)).notes == ("all MOS are equal",)
    with pytest.raises(ValueError, match="must be finite"):
        agreement(np.array([1.0, math.nan]), np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="expected two"):
        agreement(np.array([]), np.array([]))


def test_ties():
    x, y = np.repeat(np.arange(10.0), 3), np.arange(30.0)
    found = agreement(x, y)
    assert found.srcc == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    assert found.krcc == pytest.approx(kendalltau(x, y).statistic, abs=1e-6)


def test_comparing_two():
    x, y = made(300, noise=4)
    worse = made(300, noise=30)[0]
    better = compare(x, worse, y)
    assert better.difference > 0
    assert better.p < 0.01
    assert "the difference is significant" in better.told
    assert compare(worse, x, y).difference == pytest.approx(-better.difference)
    same = compare(x, x, y)
    assert (same.difference, same.p) == (0.0, 1.0)
    assert "no significant difference" in same.told
    with pytest.raises(ValueError, match="9 videos are too few to compare by"):
        compare(x[:9], worse[:9], y[:9])
    with pytest.raises(ValueError, match="5 contents are too few to compare by"):
        compare(x, worse, y, contents=np.arange(300) % 5)
    with pytest.raises(ValueError, match="not all equal"):
        compare(np.ones(300), worse, y)


def test_comparisons_of_equals_are_rarely_significant():
    random = np.random.default_rng(0)
    found = 0
    for _ in range(60):
        mos = random.uniform(0, 100, 80)
        one, other = (mos + 25 * random.standard_normal(80) for _ in range(2))
        found += compare(one, other, mos, 300).p < 0.05
    assert found <= 9


def test_whole_contents_are_drawn_where_they_are_told():
    """Two methods as good as each other, with errors shared within a content: no difference is to be found."""
    wrong = {"videos": 0, "contents": 0}
    for seed in range(40):
        random = np.random.default_rng(seed)
        contents = np.repeat(np.arange(14), 8)
        mos = random.standard_normal(112)
        one, other = (mos + random.standard_normal(14)[contents] + 0.2 * random.standard_normal(112) for _ in "ab")
        wrong["videos"] += compare(one, other, mos, 200).p < 0.05
        wrong["contents"] += compare(one, other, mos, 200, contents=contents).p < 0.05
    assert wrong["contents"] <= 6 < wrong["videos"]


def test_intervals_of_few_contents_are_left_out():
    x, y = made(60)
    found = agreement(x, y, contents=np.arange(60) % 6)
    assert (found.srcc_interval, found.notes) == (None, ("6 contents are too few for intervals",))
    wide = agreement(x, y, contents=np.arange(60) % 30)
    assert wide.srcc_interval is not None


@pytest.mark.parametrize("parameters", [4, 5])
def test_a_curve_is_found_where_data_are_nearly_a_line(parameters):
    for seed in range(60):
        random = np.random.default_rng(seed)
        mos = random.uniform(1, 5, 100)
        found = agreement(mos + random.standard_normal(100), mos, parameters=parameters, resamples=0)
        assert found.plcc_fit is not None
        assert found.plcc_fit >= found.plcc - 1e-4


def test_units_have_no_limits():
    x, y = made(60)
    usual = agreement(x, y, resamples=0)
    for unit in (1e-200, 1e29):
        found = agreement(x * unit, y, resamples=0)
        assert (found.srcc, found.krcc) == (usual.srcc, usual.krcc)
        assert found.plcc == pytest.approx(usual.plcc, abs=1e-12)
        assert found.plcc_fit == pytest.approx(usual.plcc_fit, abs=1e-9)


def test_spreads_of_zero_give_no_outlier_ratio():
    x, y = made(60)
    found = agreement(x, y, np.zeros(60), resamples=0)
    assert found.outlier_ratio is None
    assert found.notes == ("all standard deviations of the opinions are 0: no outlier ratio",)


def test_resamples_of_one_value_have_no_correlation():
    x = np.full(12, 0.1)
    x[0] = 0.7
    found = resampled(x, np.arange(12.0), "plcc", 1000)
    assert 0.3 < np.isnan(found).mean() < 0.45


@pytest.mark.filterwarnings("ignore:Covariance of the parameters", "ignore:overflow encountered")
def test_no_fit_is_worse_than_that_of_public_code():
    """Where predictions say little there are several minima, and where a search ends depends on where it began."""
    for seed in range(12):
        random = np.random.default_rng(seed)
        mos = np.round(random.uniform(0, 100, 120))
        x = (mos - mos.mean()) / mos.std() + 5 * random.standard_normal(120)
        theirs = math.sqrt(np.mean((as_public_code(x, mos) - mos) ** 2))
        assert agreement(x, mos, resamples=0).rmse_fit <= theirs + 1e-5 * mos.std(), seed


@pytest.mark.parametrize("kind", ["srcc", "plcc", "rmse"])
def test_intervals_of_differences_are_scipys_bootstrap(kind):
    x, mos = made(120, noise=6)
    x, other = 12 * x + 50, 12 * made(120, seed=0, noise=14)[0] + 50

    def figure(a, b):
        if kind == "rmse":
            return np.sqrt(np.mean((a - b) ** 2))
        return (spearmanr if kind == "srcc" else pearsonr)(a, b).statistic

    def difference(a, b, y):
        return figure(a, y) - figure(b, y)

    ours = compare(x, other, mos, 4000, kind=kind)
    theirs = bootstrap(
        (x, other, mos), difference, paired=True, vectorized=False, n_resamples=1000, method="percentile", rng=1
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.difference == pytest.approx(difference(x, other, mos), abs=1e-12)
    np.testing.assert_allclose(ours.interval, theirs, atol=0.12 * width)
    assert ours.told.startswith(f"{kind.upper()} differs by")


def test_several_comparisons_are_corrected_after_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    values = list(np.random.default_rng(0).uniform(0, 0.2, 8))
    # Of the closed family of Bonferroni tests, of which Holm's is the short form.
    for at, found in enumerate(holm(values)):
        subsets = [[values[i] for i in range(8) if bits >> i & 1] for bits in range(256) if bits >> at & 1]
        assert found == pytest.approx(min(1.0, max(len(s) * min(s) for s in subsets)))
