"""The moving average of the weights, against the published ways of both branches."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from zoomvqa.training.ema import MovingAverage


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def change(trained: nn.Module, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in trained.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(torch.randn(tensor.shape, generator=draw))
            else:
                tensor.add_(1)


def test_it_starts_from_the_weights_before_the_first_step():
    trained = net()
    average, start = MovingAverage(trained, 0.999), trained[0].weight.detach().clone()
    change(trained, 1)
    average.update(trained)
    torch.testing.assert_close(average.module[0].weight, 0.999 * start + 0.001 * trained[0].weight)


def test_the_ramp_is_the_release_s():
    trained = net()
    average = MovingAverage(trained, 0.999, ramp=True)
    wanted = trained[0].weight.detach().double()
    for done in range(5):
        decay = min(0.999, (1 + done) / (2 + done))
        assert average.decay() == pytest.approx(decay, abs=1e-12)
        change(trained, done)
        average.update(trained)
        wanted = decay * wanted + (1 - decay) * trained[0].weight.detach().double()
    torch.testing.assert_close(average.module[0].weight.double(), wanted, atol=1e-6, rtol=1e-6)
    assert int(average.n_averaged) == 5
    average.n_averaged.fill_(10_000)
    assert average.decay() == 0.999


def test_statistics_are_averaged_and_counts_copied():
    trained = net()
    average = MovingAverage(trained, 0.999, ramp=True)
    before = trained[1].running_mean.clone()
    change(trained, 1)
    average.update(trained)
    torch.testing.assert_close(average.module[1].running_mean, 0.5 * before + 0.5 * trained[1].running_mean)
    assert average.module[1].num_batches_tracked == trained[1].num_batches_tracked == 1


def test_it_goes_on_where_it_was_saved():
    trained = net()
    first = MovingAverage(trained, 0.999, ramp=True)
    for seed in range(3):
        change(trained, seed)
        first.update(trained)
    second = MovingAverage(net(), 0.999, ramp=True)
    second.load_state_dict(first.state_dict())
    assert second.decay() == pytest.approx(4 / 5)


def test_what_was_saved_with_torch_s_class_loads():
    trained = net()
    old = AveragedModel(trained, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    for seed in range(2):
        change(trained, seed)
        old.update_parameters(trained)
    average = MovingAverage(net(), 0.999, ramp=True)
    average.load_state_dict(old.state_dict())
    assert torch.equal(average.module[0].weight, old.module[0].weight)
    assert int(average.n_averaged) == 2


def test_it_is_not_trained():
    assert not any(parameter.requires_grad for parameter in MovingAverage(net(), 0.9).parameters())
