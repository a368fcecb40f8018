"""The logistic from scores to MOS."""

import numpy as np
import pytest
import torch
from scipy.optimize import curve_fit

from zoomvqa.calibration import Logistic, fit_logistic

TRUE = Logistic(low=0.0, high=100.0, centre=0.3, width=0.12)


def samples(noise: float, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    score = draw.normal(0.3, 0.2, count)
    return score, TRUE(torch.from_numpy(score)).numpy() + draw.normal(0, noise, count)


def test_known_numbers_come_back():
    score, mos = samples(0.0)
    found = fit_logistic(score, mos, (0.0, 100.0))
    for name, value in TRUE.model_dump().items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-4), name
    assert found.of(0.3) == pytest.approx(50.0)


def test_the_fit_is_scipy_s():
    score, mos = samples(4.0)
    found = fit_logistic(score, mos, (0.0, 100.0))

    def curve(x, centre, width):
        return 100 / (1 + np.exp(-(x - centre) / abs(width)))

    theirs, _ = curve_fit(curve, score, mos, p0=[score.mean(), 0.5], maxfev=100_000)
    ours = found(torch.from_numpy(score)).numpy()
    np.testing.assert_allclose(ours, curve(score, *theirs), atol=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_what_no_labelled_video_had_can_be_predicted(sign):
    """Labels in one half of the scale alone: the other half stays within reach, and nothing lies outside."""
    draw = np.random.default_rng(2)
    score = draw.normal(size=16)
    mos = 50 + sign * 35 + 5 * score + draw.normal(0, 2, 16)
    found = fit_logistic(score, mos, (0.0, 100.0))
    assert (found.low, found.high) == (0.0, 100.0)
    far = found(torch.tensor([-1e3, -60.0, 60.0, 1e3], dtype=torch.float64))
    assert far[0] < 1
    assert far[-1] > 99
    assert float(far.min()) >= 0.0
    assert float(far.max()) <= 100.0
    np.testing.assert_allclose(found(torch.from_numpy(score)).numpy(), mos, atol=8)


@pytest.mark.parametrize("shift", [0.0, 1e3, -5.0])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e4])
def test_units_of_the_score_do_not_matter(shift, scale):
    score, mos = samples(3.0)
    one, other = fit_logistic(score, mos, (0, 100)), fit_logistic(scale * (score + shift), mos, (0, 100))
    back = other(torch.from_numpy(scale * (score + shift)))
    np.testing.assert_allclose(one(torch.from_numpy(score)).numpy(), back.numpy(), atol=2e-2)


def test_it_rises_and_stays_on_the_scale():
    draw = np.random.default_rng(1)
    for count in (5, 8, 40):
        for _ in range(20):
            score = draw.normal(size=count)
            mos = 3 + 0.5 * score + draw.normal(0, 0.8, count)
            found = fit_logistic(score, np.clip(mos, 1, 5), (1.0, 5.0))
            if found is None:
                assert np.corrcoef(score, np.clip(mos, 1, 5))[0, 1] <= 0
                continue
            # Scores that differ stay different in float32, whatever the fit: no order is lost.
            seen = found(torch.from_numpy(np.sort(score))).float()
            assert (seen.diff() > 0).all()
            values = found(torch.linspace(-20, 20, 101, dtype=torch.float64))
            assert (values.diff() >= 0).all()
            assert values.min() >= 1.0
            assert values.max() <= 5.0


@pytest.mark.parametrize(
    ("score", "mos"),
    [
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]),
        ([1.0] * 6, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ([1.0, 2.0, 3.0, 4.0, 5.0], [3.0] * 5),
        ([5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]),
    ],
    ids=["few", "constant scores", "constant MOS", "falling"],
)
def test_where_there_is_none(score, mos):
    assert fit_logistic(np.array(score), np.array(mos), (0.0, 10.0)) is None


def test_what_is_no_number():
    with pytest.raises(ValueError, match="finite"):
        fit_logistic(np.array([1.0, np.nan]), np.array([1.0, 2.0]), (0.0, 5.0))
