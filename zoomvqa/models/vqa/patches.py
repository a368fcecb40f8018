"""How a Video Swin makes tokens of a clip, and fewer and wider ones between its stages."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.models.vqa.compiled import norm_joined
from zoomvqa.models.vqa.windows import Size

# Frames that a CPU embeds at a time, so that they stay in the cache.
_FRAMES = 4


class Embedded(NamedTuple):
    """A clip as tokens.

    Attributes:
        tokens: (batch, tokens, channels).
        shape: of their map, (time, rows, columns).
        given: of the clip, (frames, rows, columns) in pixels.
    """

    tokens: Tensor
    shape: Size
    given: Size


class PatchEmbed(nn.Module):
    """Cuts a clip into patches: a strided convolution and a layer norm."""

    def __init__(self, patch: Size, channels: int) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Conv3d(3, channels, kernel_size=patch, stride=patch)
        self.norm = nn.LayerNorm(channels)

    def forward(self, clips: Tensor | Iterable[Tensor]) -> Embedded:
        """Make tokens of (batch, 3, frames, h, w) clips, or of their slices along the frames, in order.

        Raises:
            ValueError: a slice but the last would end within a patch.
        """
        if isinstance(clips, Tensor):
            in_parts = clips.device.type == "cpu" and not torch.is_grad_enabled()
            some = max(1, _FRAMES // self.patch[0]) * self.patch[0]
            clips = clips.split(some, dim=2) if in_parts else [clips]
        found, times, frames = [], 0, 0
        for part in clips:
            if frames % self.patch[0]:
                raise ValueError(f"slices of a clip: expected multiples of {self.patch[0]} frames, but the last")
            tokens, (time, *plane) = self._embed(part)
            found.append(tokens)
            times, frames, size = times + time, frames + part.shape[2], tuple(part.shape[3:])
        whole = found[0] if len(found) == 1 else torch.cat(found, dim=1)
        return Embedded(whole, (times, plane[0], plane[1]), (frames, size[0], size[1]))

    def _embed(self, clips: Tensor) -> tuple[Tensor, Size]:
        short = [-size % patch for size, patch in zip(clips.shape[2:], self.patch, strict=True)]
        if any(short):  # without need it would be a copy
            clips = functional.pad(clips, (0, short[2], 0, short[1], 0, short[0]))
        patches = self.proj(clips)
        return self.norm(patches.flatten(2).transpose(1, 2)), tuple(patches.shape[2:])


class PatchMerging(nn.Module):
    """Joins 2×2 neighbours into one token of twice the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor, shape: Size, built: torch.dtype | None = None) -> tuple[Tensor, Size]:
        """Map (batch, tokens, channels) of a map of `shape` to half the rows and columns.

        With `built`, joining and norm are done by what is written in C++, in this dtype; without gradients.
        """
        half: Size = (shape[0], (shape[1] + 1) // 2, (shape[2] + 1) // 2)
        if built is not None:
            return self.reduction(norm_joined(x, _neighbours(shape), self.norm, built)), half
        grid = x.unflatten(1, shape)
        if shape[1] % 2 or shape[2] % 2:  # without need it would be a copy
            grid = functional.pad(grid, (0, 0, 0, shape[2] % 2, 0, shape[1] % 2))
        parts = [grid[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(parts, dim=-1))).flatten(1, 3), half


@lru_cache(maxsize=16)
@torch.inference_mode(mode=False)  # it is kept, and of use in any mode
def _neighbours(shape: Size) -> Tensor:
    """Return (tokens / 4, 4) int64, the neighbours that become one; the number of tokens stands for padding."""
    count = shape[0] * shape[1] * shape[2]
    grid = torch.arange(count).view(shape)
    grid = functional.pad(grid, (0, shape[2] % 2, 0, shape[1] % 2), value=count)
    return torch.stack([grid[:, row::2, column::2] for column in (0, 1) for row in (0, 1)], dim=-1).flatten(0, 2)
