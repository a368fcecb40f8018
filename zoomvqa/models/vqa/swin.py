"""Video Swin Transformer (arXiv 2106.13230) with gated position bias, for fragments of clips.

Parameters are named as in FAST-VQA and Zoom-VQA, so that their public checkpoints load as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from zoomvqa.models.layers import Mlp, drop_path, fixed_noise
from zoomvqa.models.vqa.attention import WindowAttention
from zoomvqa.models.vqa.compiled import add_at, norm_at
from zoomvqa.models.vqa.patches import PatchEmbed, PatchMerging
from zoomvqa.models.vqa.windows import Size, WindowPlan, pieces, scaled_window, window_plan

# Bytes of the widest tensor of a piece without gradients, which stays in the cache.
_PIECE = 2**22
_FEWEST = 256


class Block(nn.Module):
    """Window attention and an MLP, each behind a layer norm and beside a residual path.

    Args:
        channels: of a token.
        heads: of the attention.
        window: that the tables are made for.
        shifted: whether its windows are shifted by half a window.
        gated: whether its bias is gated.
        rate: of stochastic depth.
    """

    def __init__(
        self, channels: int, heads: int, window: Size, *, shifted: bool, gated: bool, rate: float
    ) -> None:
        super().__init__()
        self.shift: Size = (window[0] // 2, window[1] // 2, window[2] // 2) if shifted else (0, 0, 0)
        self.norm1 = nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, heads, window, gated=gated)
        self.drop_path = drop_path(rate)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels, 4 * channels)

    def forward(self, x: Tensor, shape: Size, window: Size) -> Tensor:
        """Map (batch, tokens, channels) of a feature map of `shape` to the same shape.

        Without gradients on a CPU, `x` itself is changed: a hook that looks at a block's input sees its output.
        """
        plan = window_plan(shape, window, self.shift, x.device)
        if not torch.is_grad_enabled() and not self.training and x.device.type == "cpu":
            self._attend_in_place(x, plan)
            self._feed_in_place(x)
            return x
        tokens = self.norm1(x)
        if plan.padded:
            tokens = functional.pad(tokens, (0, 0, 0, 1))
        mixed = self.attn(tokens.index_select(1, plan.gather), plan)
        x = x + self.drop_path(mixed.index_select(1, plan.scatter))
        return x + self.drop_path(self.mlp(self.norm2(x)))

    def _attend_in_place(self, x: Tensor, plan: WindowPlan) -> None:
        """Do the first half a few windows at a time: nothing larger than the cache is ever made."""
        dtype = _dtype(x)
        biases = self.attn.biases(plan, dtype)
        for piece in pieces(plan, _PIECE // (3 * x.shape[2] * dtype.itemsize)):
            places = plan.gather[piece.places]
            if self.attn.compiled:
                add_at(x, places, self.attn.within(piece, norm_at(x, places, self.norm1, dtype), biases))
                continue
            part = x.index_select(1, places.clamp(max=x.shape[1] - 1))
            tokens = self.norm1(part)
            if plan.padded:  # padding attends as zeros, unmasked: the public weights were trained with that
                real = places < x.shape[1]
                tokens = tokens * real[:, None].to(tokens.dtype)
            part = part + self.attn.within(piece, tokens, biases)
            if plan.padded:
                places, part = places[real], part[:, real]
            x.index_copy_(1, places, part)

    def _feed_in_place(self, x: Tensor) -> None:
        """Do the second half some tokens at a time."""
        some = max(_FEWEST, _PIECE // (self.mlp.fc1.out_features * _dtype(x).itemsize))
        if self.attn.compiled:
            for places in torch.arange(x.shape[1]).split(some):
                add_at(x, places, self.mlp(norm_at(x, places, self.norm2, _dtype(x))))
            return
        for part in x.split(some, dim=1):
            part += self.mlp(self.norm2(part))  # noqa: PLW2901  a view of x


def _dtype(x: Tensor) -> torch.dtype:
    """Return what products of `x` on a CPU are computed in."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


class Stage(nn.Module):
    """Blocks of one resolution, every second one shifted, and the merging that follows."""

    def __init__(self, blocks: list[Block], downsample: PatchMerging | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor, shape: Size, window: Size, *, recompute: bool) -> tuple[Tensor, Size]:
        """Map tokens of a map of `shape`; `recompute` trades time for memory in the backward pass."""
        built = cast("Block", self.blocks[0]).attn.compiled and not torch.is_grad_enabled()
        if built:
            x = x.float()  # autocast would go on in bfloat16 behind the first merging
        for block in self.blocks:
            x = checkpoint(block, x, shape, window, use_reentrant=False) if recompute else block(x, shape, window)
        return (x, shape) if self.downsample is None else self.downsample(x, shape, _dtype(x) if built else None)


class VideoSwin(nn.Module):
    """The backbone.

    Args:
        patch: of the embedding, (2, p, p); p is 6 for Zoom-VQA, 4 for FAST-VQA.
        channels: after the embedding; each stage doubles them.
        depths: blocks of each stage.
        heads: of each stage.
        window: (time, rows, columns) in tokens.
        gated: whether all stages but the last have the second bias table.
        drop_path: rate of stochastic depth at the last block, rising from 0.
        base: the input that the windows are made for, (frames, rows, columns) in pixels; None is
            (32, 56 p, 56 p). Windows shrink and grow with the input.
        recompute: keep fewer activations while training and compute them again in the backward pass.
    """

    def __init__(
        self,
        patch: Size = (2, 4, 4),
        channels: int = 96,
        depths: tuple[int, ...] = (2, 2, 6, 2),
        heads: tuple[int, ...] = (3, 6, 12, 24),
        window: Size = (8, 7, 7),
        *,
        gated: bool = True,
        drop_path: float = 0.1,
        base: Size | None = None,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.window, self.recompute = window, recompute
        self.base: Size = base or (32, 56 * patch[1], 56 * patch[2])
        self.patch_embed = PatchEmbed(patch, channels)
        rates = torch.linspace(0, drop_path, sum(depths)).tolist()
        stages = []
        for number, (depth, head) in enumerate(zip(depths, heads, strict=True)):
            width, last = channels * 2**number, number == len(depths) - 1
            blocks = [
                Block(
                    width,
                    head,
                    window,
                    shifted=bool(i % 2),
                    gated=gated and not last,
                    rate=rates[sum(depths[:number]) + i],
                )
                for i in range(depth)
            ]
            stages.append(Stage(blocks, None if last else PatchMerging(width)))
        self.layers = nn.ModuleList(stages)
        self.channels = channels * 2 ** (len(depths) - 1)
        self.norm = nn.LayerNorm(self.channels)

    def forward(self, clips: Tensor | Iterable[Tensor]) -> Tensor:
        """Map (batch, 3, frames, h, w) normalised clips to (batch, channels, time, rows, columns) features.

        Slices of them along the frames, in order, do as well: see `PatchEmbed`.
        """
        x, shape, given = self.patch_embed(clips)
        window = scaled_window(self.window, given, self.base)
        for stage in self.layers:
            x, shape = stage(x, shape, window, recompute=self.recompute and self.training)
        return self.norm(x).transpose(1, 2).unflatten(2, shape)

    def check_outputs(self) -> list[Tensor]:
        """Return the features of a small fixed clip, which leaves windows of two tokens a side."""
        size = (-(-2 * side // window) for side, window in zip(self.base, self.window, strict=True))
        return [self(fixed_noise(1, 3, *size))]
