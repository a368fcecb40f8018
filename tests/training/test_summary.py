"""Parameters and operations of networks, against what they are known to be."""

import pytest
import torch
from torch import nn

from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.settings.iqa import IQANetwork
from zoomvqa.training.summary import parts_of


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(100, 50)
        self.second = nn.Conv2d(1, 2, 3, bias=False).requires_grad_(requires_grad=False)
        self.nothing = nn.Dropout()

    def forward(self, x, y):
        return self.first(x).sum() + self.second(y).sum()


def test_counts():
    net = Two().train()
    parts = {p.name: p for p in parts_of(net, (torch.zeros(1, 100), torch.zeros(1, 1, 12, 12)))}
    assert list(parts) == ["first", "second", "all"]
    assert parts["first"].parameters == pytest.approx(5050e-6)
    assert parts["first"].gflops == pytest.approx(2 * 100 * 50 * 1e-9)
    assert parts["second"].gflops == pytest.approx(2 * 9 * 2 * 100 * 1e-9)
    assert (parts["second"].trained, parts["all"].trained) == (0, pytest.approx(5050e-6))
    assert net.training


def test_convnext_tiny_at_320():
    """4.47 thousand million products at 224² (its paper), 2.04 times as many here, and two heads."""
    parts = {p.name: p for p in parts_of(build_iqa_net(IQANetwork(), 320, "none"), (torch.zeros(1, 3, 320, 320),))}
    assert parts["backbone"].gflops == pytest.approx(2 * 4.47 * (320 / 224) ** 2, rel=0.01)
    assert parts["backbone"].parameters == pytest.approx(27.8, rel=0.01)
