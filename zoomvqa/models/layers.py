"""Layers that several networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Mlp(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, channels) to the same shape."""
        return self.fc2(self.act(self.fc1(x)))


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the second axis."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, …) to the same shape."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class DropPath(nn.Module):
    """Stochastic depth (arXiv 1603.09382): while training, a sample's branch is now and then left out.

    Args:
        rate: how often, 0..1 without 1; what is kept is enlarged, so that the mean stays.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, …) to the same shape."""
        if not self.training or not self.rate:
            return x
        kept = x.new_empty((len(x), *(1,) * (x.ndim - 1))).bernoulli_(1 - self.rate)
        return x * kept.div_(1 - self.rate)

    def extra_repr(self) -> str:
        """Tell the rate where the network is printed."""
        return f"rate={self.rate}"


def draw_weights(layer: nn.Module) -> None:
    """Draw the weights of a ConvNeXt's layer as its paper does (arXiv 2201.03545, table 5)."""
    if isinstance(layer, (nn.Conv2d, nn.Conv3d, nn.Linear)):
        nn.init.trunc_normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def drop_path(rate: float) -> nn.Module:
    """Return stochastic depth at a rate, or what does nothing where it is 0."""
    return DropPath(rate) if rate else nn.Identity()


def fixed_noise(*shape: int) -> Tensor:
    """Return standard normal numbers, float32 on the CPU: the same ones for a shape, whatever was drawn before."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))
