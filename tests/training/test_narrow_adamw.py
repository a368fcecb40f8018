"""AdamW for weights in half precision."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.optim import AdamW

from zoomvqa.training.narrow_adamw import NarrowAdamW, rounded_at_random

HALVES = (torch.bfloat16, torch.float16)


@pytest.mark.parametrize("dtype", HALVES)
def test_rounding_takes_one_of_the_neighbours_and_keeps_the_mean(dtype):
    value = torch.tensor([1.0, 1.0009, -0.05, 0.049999, 3e-6, 0.0, -7.123])
    draw = torch.Generator().manual_seed(0)
    found = rounded_at_random(value.expand(20_000, -1), dtype, draw).double()
    nearest = value.to(dtype).double()
    kinds = [found[:, at].unique() for at in range(len(value))]
    for true, near, kind in zip(value.double(), nearest, kinds, strict=True):
        assert len(kind) == (1 if true == near else 2)
        assert near in kind
        assert kind.min() <= true <= kind.max()
    apart = torch.tensor([float(k.max() - k.min()) for k in kinds], dtype=torch.float64)
    assert ((found.mean(dim=0) - value.double()).abs() <= 0.02 * apart + 1e-12).all()


@pytest.mark.parametrize("dtype", [*HALVES, torch.float32])
def test_steps_are_those_of_torch_but_for_rounding(dtype):
    torch.manual_seed(0)
    start = torch.randn(2000).mul_(0.05).to(dtype)
    narrow, exact = (nn.Parameter(start.clone()), nn.Parameter(start.float()))
    ours = NarrowAdamW([narrow], lr=1e-5, weight_decay=0.01)
    theirs = AdamW([exact], lr=1e-5, weight_decay=0.01)
    for _ in range(50):
        gradient = torch.full((2000,), 0.5).to(dtype)
        narrow.grad, exact.grad = gradient, gradient.float()
        ours.step()
        theirs.step()
    assert narrow.dtype == dtype
    moved, wanted = (narrow.float() - start.float()).mean(), (exact - start.float()).mean()
    assert moved.item() == pytest.approx(wanted.item(), rel=1e-6 if dtype == torch.float32 else 0.1)
    assert ours.state[narrow]["exp_avg_sq"].dtype == torch.float32


def test_small_gradients_in_float16_divide_by_nothing():
    weight = nn.Parameter(torch.ones(4, dtype=torch.float16))
    weight.grad = torch.tensor([0.0, 1e-7, 1e-4, 1e-3], dtype=torch.float16)
    NarrowAdamW([weight], lr=0.01, weight_decay=0.0).step()
    assert torch.allclose(weight.detach().float(), torch.tensor([1.0, 0.99, 0.99, 0.99]), atol=2e-3)


def test_it_goes_on_where_it_was_saved_to_the_last_bit():
    def taken(optimiser, weight, steps):
        for step in steps:
            weight.grad = torch.randn(100, generator=torch.Generator().manual_seed(step)).bfloat16()
            optimiser.step()

    weight = nn.Parameter(torch.ones(100, dtype=torch.bfloat16))
    whole = NarrowAdamW([weight], lr=1e-3)
    taken(whole, weight, range(3))
    again = nn.Parameter(weight.detach().clone())
    other = NarrowAdamW([again], lr=1e-3)
    other.load_state_dict(deepcopy(whole.state_dict()))
    assert other.state[again]["exp_avg"].dtype == torch.float32
    taken(whole, weight, range(3, 6))
    taken(other, again, range(3, 6))
    assert torch.equal(weight, again)
