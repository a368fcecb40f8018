"""ConvNeXt (arXiv 2201.03545) for pictures, which the IQA branch uses by default.

timm has these networks too: parameters are named as in its `features_only` form, whose weights load as they
are, and outputs have the same bits. But importing timm takes 1.5 seconds and 0.2 GB at every start, for what the
default network does not need.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from zoomvqa.models.layers import ChannelNorm, Mlp, draw_weights, drop_path

_EPS = 1e-6


class Shape(NamedTuple):
    """What tells the networks of the paper apart.

    Attributes:
        depths: blocks of each stage.
        channels: of each stage.
    """

    depths: tuple[int, ...]
    channels: tuple[int, ...]


SHAPES = {
    "convnext_tiny": Shape((3, 3, 9, 3), (96, 192, 384, 768)),
    "convnext_small": Shape((3, 3, 27, 3), (96, 192, 384, 768)),
    "convnext_base": Shape((3, 3, 27, 3), (128, 256, 512, 1024)),
    "convnext_large": Shape((3, 3, 27, 3), (192, 384, 768, 1536)),
}


class Block(nn.Module):
    """Depthwise convolution, norm and MLP beside a residual path, scaled by `gamma`."""

    def __init__(self, channels: int, rate: float) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPS)
        self.mlp = Mlp(channels, 4 * channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))
        self.drop_path = drop_path(rate)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, rows, columns) to the same shape."""
        mixed = self.mlp(self.norm(self.conv_dw(x).permute(0, 2, 3, 1))) * self.gamma
        return self.drop_path(mixed.permute(0, 3, 1, 2)) + x


class Stage(nn.Module):
    """Halving of rows and columns, but in the first stage, and the blocks of one resolution."""

    def __init__(self, before: int | None, channels: int, rates: list[float]) -> None:
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if before is not None:
            down = nn.Conv2d(before, channels, 2, stride=2)
            self.downsample = nn.Sequential(ChannelNorm(before, eps=_EPS), down)
        self.blocks = nn.Sequential(*(Block(channels, rate) for rate in rates))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels before, rows, columns) to the stage's channels and resolution."""
        return self.blocks(self.downsample(x))


class ConvNeXt(nn.Module):
    """The four stages; weights are random.

    Args:
        shape: one of `SHAPES`.
        rate: of stochastic depth at the last block, rising from 0.

    Attributes:
        channels: of each feature map.
        strides: pixels of the picture in a step of each.
    """

    strides = (4, 8, 16, 32)

    def __init__(self, shape: Shape, rate: float = 0.0) -> None:
        super().__init__()
        self.channels = shape.channels
        self.stem_0 = nn.Conv2d(3, shape.channels[0], 4, stride=4)
        self.stem_1 = ChannelNorm(shape.channels[0], eps=_EPS)
        rates = torch.linspace(0, rate, sum(shape.depths), device="cpu").split(shape.depths)
        befores = (None, *shape.channels[:-1])
        for number, (before, width, some) in enumerate(zip(befores, shape.channels, rates, strict=True)):
            self.add_module(f"stages_{number}", Stage(before, width, some.tolist()))
        self.apply(draw_weights)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (batch, 3, h, w) normalised pictures to the feature maps of all stages, the finest first."""
        x = self.stem_1(self.stem_0(x))
        maps = []
        for number in range(len(self.channels)):
            x = self.get_submodule(f"stages_{number}")(x)
            maps.append(x)
        return maps
