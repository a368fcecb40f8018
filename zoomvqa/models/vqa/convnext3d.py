"""ConvNeXt over space and time, inflated from timm's 2-D weights: the VQA branch's second family of backbones.

After the `conv_tiny` of FAST-VQA: the stem takes two frames at a time and the middle one of every three depthwise
convolutions looks at three time steps. A kernel starts as the picture's, shared out evenly over its time steps; at
the first and last step frames are repeated, so that at the start a still video has the features of its picture.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.models.backbones import create_weighted
from zoomvqa.models.convnext import SHAPES
from zoomvqa.models.layers import ChannelNorm, Mlp, draw_weights, drop_path, fixed_noise

# timm's tag of the weights that FAST-VQA inflates: ImageNet-1k. Without a tag timm takes its best of the day.
WEIGHTS_TAG = "fb_in1k"
_TIMES = (1, 3, 1)  # time steps of the depthwise kernels of a stage, over and over


class Block(nn.Module):
    """Depthwise convolution, norm and MLP beside a residual path, scaled by `gamma`."""

    def __init__(self, channels: int, times: int, rate: float) -> None:
        super().__init__()
        self.times = times
        self.conv_dw = nn.Conv3d(channels, channels, (times, 7, 7), padding=(0, 3, 3), groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = Mlp(channels, 4 * channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))
        self.drop_path = drop_path(rate)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, time, rows, columns) to the same shape."""
        around = (0, 0, 0, 0, self.times // 2, self.times // 2)
        mixed = self.conv_dw(functional.pad(x, around, mode="replicate") if self.times > 1 else x)
        mixed = self.mlp(self.norm(mixed.movedim(1, -1))) * self.gamma
        return x + self.drop_path(mixed.movedim(-1, 1))


class Stage(nn.Module):
    """Halving of rows and columns, but in the first stage, and the blocks of one resolution."""

    def __init__(self, before: int | None, channels: int, blocks: list[Block]) -> None:
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if before is not None:
            down = nn.Conv3d(before, channels, (1, 2, 2), stride=(1, 2, 2))
            self.downsample = nn.Sequential(ChannelNorm(before, eps=1e-6), down)
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels before, time, rows, columns) to the stage's channels and resolution."""
        return self.blocks(self.downsample(x))


class ConvNeXt3D(nn.Module):
    """The backbone; parameters are named as timm's 2-D ones.

    Args:
        channels: of each stage.
        depths: blocks of each stage.
        patch: side of the stem's patches, pixels.
        drop_path: rate of stochastic depth at the last block, rising from 0.
    """

    def __init__(
        self, channels: tuple[int, ...], depths: tuple[int, ...], patch: int = 4, drop_path: float = 0.1
    ) -> None:
        super().__init__()
        self.patch = patch
        stem = nn.Conv3d(3, channels[0], (2, patch, patch), stride=(2, patch, patch))
        self.stem = nn.Sequential(stem, ChannelNorm(channels[0], eps=1e-6))
        rates = iter(torch.linspace(0, drop_path, sum(depths)).tolist())
        self.stages = nn.ModuleList()
        for number, (width, depth) in enumerate(zip(channels, depths, strict=True)):
            blocks = [Block(width, _TIMES[i % len(_TIMES)], next(rates)) for i in range(depth)]
            self.stages.append(Stage(channels[number - 1] if number else None, width, blocks))
        self.channels = channels[-1]
        self.norm = ChannelNorm(self.channels, eps=1e-6)
        self.apply(draw_weights)

    def forward(self, clips: Tensor | Iterable[Tensor]) -> Tensor:
        """Map (batch, 3, frames, h, w) normalised clips to (batch, channels, time, rows, columns) features.

        Slices of them along the frames, in order, do as well.
        """
        clips = clips if isinstance(clips, Tensor) else torch.cat(list(clips), dim=2)
        x = self.stem(functional.pad(clips, (0, 0, 0, 0, 0, clips.shape[2] % 2), mode="replicate"))
        for stage in self.stages:
            x = stage(x)
        return self.norm(x)

    def check_outputs(self) -> list[Tensor]:
        """Return the features of a small fixed clip, a map of 2×2×2."""
        return [self(fixed_noise(1, 3, 4, 16 * self.patch, 16 * self.patch))]


def inflate(flat: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return 2-D weights in the shapes of the 3-D network: kernels shared out over their time steps.

    Args:
        flat: of a timm ConvNeXt.
        wanted: the 3-D network's tensors.
    """
    inflated = {}
    for name, target in wanted.items():
        weight = flat[name.replace("norm.", "head.norm.", 1) if name.startswith("norm.") else name]
        if target.ndim == 5:
            if weight.shape[-2:] != target.shape[-2:]:
                from timm.layers import resample_patch_embed  # noqa: PLC0415  scoring does without timm

                weight = resample_patch_embed(weight, list(target.shape[-2:]), interpolation="bilinear")
            weight = weight[:, :, None].expand_as(target) / target.shape[2]
        inflated[name] = weight.clone()
    return inflated


def convnext3d(name: str, patch: int, drop_path: float, *, pretrained: bool) -> ConvNeXt3D:
    """Return the 3-D network of a ConvNeXt such as `convnext_tiny`.

    Args:
        name: of the 2-D network, one of `zoomvqa.models.convnext.SHAPES`.
        patch: side of the stem's patches; other than 4, the stem's weights are resampled.
        drop_path: rate of stochastic depth.
        pretrained: inflate the ImageNet-1k weights, which timm downloads; otherwise weights are random.

    Raises:
        ToolError: the weights cannot be downloaded.
    """
    shape = SHAPES[name]
    net = ConvNeXt3D(shape.channels, shape.depths, patch, drop_path)
    if pretrained:
        net.load_state_dict(inflate(create_weighted(f"{name}.{WEIGHTS_TAG}").state_dict(), net.state_dict()))
    return net
