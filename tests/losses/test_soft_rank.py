import pytest
import torch
from scipy.stats import rankdata, spearmanr

from zoomvqa.losses.soft_rank import soft_rank, soft_srcc_loss


def project(point: torch.Tensor) -> torch.Tensor:
    """Projection onto the permutahedron of (n, …, 1) by Frank-Wolfe with exact steps, written independently."""
    size = len(point)
    at = torch.full_like(point, (size + 1) / 2)
    for _ in range(20_000):
        gradient = at - point
        corner = torch.empty_like(at)
        corner[torch.argsort(gradient)] = torch.arange(size, 0, -1, dtype=at.dtype)
        move = corner - at
        if -(gradient @ move) < 1e-12:
            break
        at = at + move * (-(gradient @ move) / (move @ move)).clamp(0, 1)
    return at


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("strength", [0.3, 1.0, 5.0])
def test_is_the_projection_onto_the_permutahedron(seed, strength):
    values = torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 3
    torch.testing.assert_close(soft_rank(values, strength), project(values / strength), atol=2e-2, rtol=0)


def test_hard_ranks_for_values_far_apart():
    values = torch.tensor([30.0, -10.0, 500.0, 90.0])
    assert soft_rank(values).tolist() == rankdata(values.numpy()).tolist()


def test_gradient():
    values = torch.randn(7, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: soft_rank(v, 0.7), (values,), atol=1e-5)


def test_loss_is_one_minus_spearman_for_values_far_apart():
    prediction = torch.tensor([30.0, -10.0, 500.0, 90.0, 200.0])
    mos = torch.tensor([10.0, 20.0, 90.0, 30.0, 60.0])
    expected = 1 - spearmanr(prediction.numpy(), mos.numpy()).statistic
    assert soft_srcc_loss(prediction, mos).item() == pytest.approx(expected, abs=1e-6)


def test_loss_of_equal_predictions_is_finite():
    prediction = torch.ones(5, requires_grad=True)
    loss = soft_srcc_loss(prediction, torch.arange(5.0))
    loss.backward()
    assert loss.isfinite()
    assert prediction.grad.isfinite().all()


def test_loss_of_one():
    assert soft_srcc_loss(torch.ones(1), torch.ones(1)).item() == 0
