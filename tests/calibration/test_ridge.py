"""Ridge regression whose penalty is chosen on contents that were left out."""

import numpy as np
import pytest

from zoomvqa.calibration.ridge import fit_ridge


def made(samples: int, features: int, noise: float, contents: int = 6):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(samples, features)) * draw.uniform(0.1, 10, features) + draw.normal(size=features)
    truth = draw.normal(size=features) / x.std(axis=0)
    y = 50 + x @ truth + draw.normal(0, noise, samples)
    return x, y, [f"c{i % contents}" for i in range(samples)], truth


def test_a_linear_target_comes_back():
    x, y, contents, truth = made(200, 5, 0.0)
    found = fit_ridge(x, y, contents)
    np.testing.assert_allclose(found.weight, truth, rtol=1e-3)
    np.testing.assert_allclose(found(x), y, atol=0.02)


@pytest.mark.parametrize(("samples", "features"), [(60, 8), (30, 90)], ids=["tall", "wide"])
def test_it_solves_the_normal_equations(samples, features):
    x, y, contents, _ = made(samples, features, 3.0)
    found = fit_ridge(x, y, contents)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    gram = scaled.T @ scaled
    wide = features > samples
    values = np.linalg.eigvalsh(scaled @ scaled.T if wide else gram).clip(min=0)
    solved = np.linalg.solve(gram + found.penalty * values.mean() * np.eye(features), scaled.T @ (y - y.mean()))
    np.testing.assert_allclose(found.weight * x.std(axis=0), solved, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found(x).mean(), y.mean())


def test_noise_is_answered_with_the_mean():
    """Features that say nothing of the target get the largest penalty: contents that are left out show it."""
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(40, 100)), draw.normal(70, 10, 40)
    found = fit_ridge(x, y, [f"c{i % 8}" for i in range(40)])
    assert found.penalty > 100
    assert np.abs(found(x) - y.mean()).max() < 5


def test_left_out_predictions_know_nothing_of_their_content():
    x, y, contents, _ = made(48, 6, 1.0)
    out = np.array([content == "c0" for content in contents])
    found = fit_ridge(x, y, contents, (0.01,))
    moved = fit_ridge(x, np.where(out, y + 500, y), contents, (0.01,))
    same = fit_ridge(x[~out], y[~out], [c for c in contents if c != "c0"], (0.01,))
    np.testing.assert_allclose(found.left_out[out], same(x[out]), rtol=1e-8)
    np.testing.assert_allclose(moved.left_out[out], found.left_out[out], rtol=1e-8)
    assert np.abs(moved.left_out[~out] - found.left_out[~out]).mean() > 10


def test_constant_features_have_no_weight():
    x, y, contents, _ = made(40, 4, 0.5)
    x[:, 2] = 7.0
    found = fit_ridge(x, y, contents)
    assert found.weight[2] == 0
    assert np.isfinite(found(x)).all()


def test_what_cannot_be_fitted():
    x, y, contents, _ = made(20, 3, 1.0)
    with pytest.raises(ValueError, match="two contents"):
        fit_ridge(x, y, ["one"] * 20)
    with pytest.raises(ValueError, match="finite"):
        fit_ridge(np.full_like(x, np.nan), y, contents)
    with pytest.raises(ValueError, match="as many"):
        fit_ridge(x, y[:-1], contents)
