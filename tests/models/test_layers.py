import pytest
import torch
from torch import nn

from zoomvqa.models.layers import ChannelNorm, DropPath, drop_path


def test_stochastic_depth_leaves_out_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    out = DropPath(0.25).train()(torch.ones(4000, 2, 3))
    kept = out.flatten(1)
    assert torch.all(kept == kept[:, :1])  # a sample as a whole
    assert sorted(set(kept[:, 0].tolist())) == pytest.approx([0.0, 1 / 0.75])
    assert float(out.mean()) == pytest.approx(1.0, abs=0.03)


def test_stochastic_depth_does_nothing_when_scoring():
    x = torch.randn(2, 3)
    assert torch.equal(DropPath(0.5).eval()(x), x)
    assert isinstance(drop_path(0.0), nn.Identity)
    assert repr(drop_path(0.1)) == "DropPath(rate=0.1)"


def test_channel_norm_is_over_the_second_axis():
    x = torch.randn(2, 5, 3, 4)
    out = ChannelNorm(5)(x)
    torch.testing.assert_close(out.mean(dim=1), torch.zeros(2, 3, 4), atol=1e-6, rtol=0)
    torch.testing.assert_close(out.var(dim=1, unbiased=False), torch.ones(2, 3, 4), atol=1e-3, rtol=0)
