"""The geometry of shifted windows over (time, row, column) tokens: computed once for a shape, then looked up."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Size = tuple[int, int, int]
# What the region mask adds to the attention between tokens that the cyclic shift brought together.
_APART = -100.0


class WindowPlan(NamedTuple):
    """How the tokens of a feature map go into windows and back.

    With L tokens, W windows and N tokens a window:

    Attributes:
        size: of a window, (d, h, w) with d · h · w = N.
        gather: (W · N,) int64, the token that stands at each place of the windows; L is padding.
        scatter: (L,) int64, the place of each token.
        gate: (W, N, N) float32, how many fragments apart two tokens of a window are, |Δrow| + |Δcolumn|.
        region: (W, N, N) float32, 0 or −100, or None without a shift.
        padded: whether some places hold padding.
    """

    size: Size
    gather: Tensor
    scatter: Tensor
    gate: Tensor
    region: Tensor | None
    padded: bool


def scaled_window(window: Size, given: Size, base: Size) -> Size:
    """Return the window for an input of size `given`, in proportion to the `base` input that it was made for.

    For larger inputs it stays as it is: the bias tables have no entries for more.

    Raises:
        ValueError: the input is too small to leave a window.
    """
    scaled = tuple(min(w, w * g // b) for w, g, b in zip(window, given, base, strict=True))
    if min(scaled) < 1:
        raise ValueError(f"an input of {given} (frames, rows, columns) is too small for windows of {window}")
    return scaled  # type: ignore[return-value]


def window_plan(shape: Size, window: Size, shift: Size, device: torch.device) -> WindowPlan:
    """Return the plan for a feature map of `shape` (time, rows, columns).

    An axis no longer than its window is one window and is not shifted; the others are padded at their end to a
    multiple of the window.

    Args:
        shape: of the feature map.
        window: wanted size.
        shift: wanted cyclic shift. It does not shrink with the window for smaller inputs (as in the release).
        device: where the plan is used.
    """
    size = tuple(min(w, s) for w, s in zip(window, shape, strict=True))
    moved = tuple(m if s > w else 0 for m, w, s in zip(shift, window, shape, strict=True))
    return _plan(shape, size, moved, device)


@lru_cache(maxsize=64)
def _plan(shape: Size, size: Size, shift: Size, device: torch.device) -> WindowPlan:
    full = tuple(-(-s // w) * w for s, w in zip(shape, size, strict=True))
    tokens = shape[0] * shape[1] * shape[2]
    number = torch.full(full, tokens, dtype=torch.int64)
    number[: shape[0], : shape[1], : shape[2]] = torch.arange(tokens).view(shape)
    gather = _windows(_rolled(number, shift)[None], size)[0].flatten()
    scatter = torch.empty(tokens + 1, dtype=torch.int64)
    scatter[gather] = torch.arange(len(gather))
    region = _region_mask(full, size, shift) if any(shift) else None  # type: ignore[arg-type]
    return WindowPlan(
        size,
        gather.to(device),
        scatter[:tokens].to(device),
        _fragment_distance(full, size, shift).to(device),  # type: ignore[arg-type]
        region if region is None else region.to(device),
        full != shape,
    )


def relative_index(table: Size, size: Size) -> Tensor:
    """Return (N, N) int64 rows of a bias table made for a window of `table`, for a smaller one of `size`."""
    axes = torch.meshgrid(*(torch.arange(s) for s in size), indexing="ij")
    place = torch.stack([a.flatten() for a in axes])
    delta = place[:, :, None] - place[:, None, :] + torch.tensor(table)[:, None, None] - 1
    rows, columns = 2 * table[1] - 1, 2 * table[2] - 1
    return (delta[0] * rows + delta[1]) * columns + delta[2]


def _rolled(values: Tensor, shift: Size) -> Tensor:
    return torch.roll(values, shifts=[-s for s in shift], dims=(-3, -2, -1))


def _windows(values: Tensor, size: Size) -> Tensor:
    """Cut (C, D, H, W) into (C, windows, N)."""
    channels = len(values)
    counts = [s // w for s, w in zip(values.shape[1:], size, strict=True)]
    cut = values.view(channels, counts[0], size[0], counts[1], size[1], counts[2], size[2])
    return cut.permute(0, 1, 3, 5, 2, 4, 6).reshape(channels, -1, size[0] * size[1] * size[2])


def _fragment_distance(full: Size, size: Size, shift: Size) -> Tensor:
    rows, columns = size[1], size[2]  # as many fragments as a window has tokens, resized to the map by nearest
    grid = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")).float()
    spread = functional.interpolate(grid[None], size=full[1:], mode="nearest")[0]
    spread = spread[:, None].expand(-1, full[0], -1, -1).contiguous()
    fragment = _windows(_rolled(spread, shift), size)
    return (fragment[:, :, None, :] - fragment[:, :, :, None]).abs().sum(dim=0)


def _region_mask(full: Size, size: Size, shift: Size) -> Tensor:
    region = torch.zeros(full)
    number = 0
    parts = [(slice(0, -w), slice(-w, -s or None), slice(-s, None)) if s else (slice(None),)
             for w, s in zip(size, shift, strict=True)]  # fmt: skip
    for rows in parts[0]:
        for columns in parts[1]:
            for times in parts[2]:
                region[rows, columns, times] = number
                number += 1
    inside = _windows(region[None], size)[0]
    return torch.where(inside[:, None, :] != inside[:, :, None], _APART, 0.0)
