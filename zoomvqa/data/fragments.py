"""Fragments of a frame: small patches of its resized picture, laid side by side (FAST-VQA, arXiv 2207.02595).

Only the pixels that the fragments need are resized: the full resized picture is never made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class FragmentPlan(NamedTuple):
    """Where the fragments of a picture lie.

    Attributes:
        height, width: of the resized picture they are cut from.
        top, left: (grid, grid) int64, each fragment's first row and column.
        side: of a fragment, pixels.
    """

    height: int
    width: int
    top: NDArray[np.int64]
    left: NDArray[np.int64]
    side: int


def resized_shape(height: int, width: int, short: int) -> tuple[int, int]:
    """Return the (height, width) of a picture whose short side is brought to `short`; −1 keeps it as it is.

    The long side is `int(long / (short_now / short))`, in this order of operations, as in the release.
    """
    if short == -1:
        return height, width
    if height <= width:
        return short, int(width / (height / short))
    return int(height / (width / short)), short


def plan_fragments(
    height: int, width: int, grid: int, side: int, draw: np.random.Generator | None = None
) -> FragmentPlan:
    """Place `grid` × `grid` fragments of `side` pixels in a picture.

    The picture is cut into cells of `height // grid` × `width // grid`. A fragment lies in the middle of its
    cell, or anywhere in it when `draw` is given. A picture smaller than the fragments together is taken as
    enlarged until it holds them. (The release enlarges it too, but lays the grid by the old size, so that
    only the top left is looked at.)

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        grid: fragments along a side.
        side: of a fragment, pixels.
        draw: for training; None is the deterministic choice for testing.

    Returns:
        The plan, for the enlarged picture where it had to be.
    """
    needed = grid * side
    if min(height, width) < needed:
        ratio = min(height, width) / needed
        height, width = max(needed, int(height / ratio)), max(needed, int(width / ratio))
    cell_height, cell_width = height // grid, width // grid
    rows = np.minimum(np.arange(grid) * cell_height, height - side)
    columns = np.minimum(np.arange(grid) * cell_width, width - side)
    return FragmentPlan(
        height,
        width,
        rows[:, None] + _offset(cell_height - side, grid, draw),
        columns[None, :] + _offset(cell_width - side, grid, draw),
        side,
    )


def _offset(spare: int, grid: int, draw: np.random.Generator | None) -> NDArray[np.int64]:
    if spare <= 0:
        return np.zeros((grid, grid), dtype=np.int64)
    return draw.integers(0, spare, (grid, grid)) if draw else np.full((grid, grid), spare // 2)


class FragmentCutter:
    """Cuts the same fragments out of every frame of a clip, resizing only their pixels.

    Bilinear, half-pixel centres, no antialias; values go through 0..1 and are cut down to whole levels, as in
    the release, whose truncation its weights were trained with.

    Args:
        shape: (height, width) of the frames.
        plan: where the fragments lie in the resized picture.
    """

    def __init__(self, shape: tuple[int, int], plan: FragmentPlan) -> None:
        steps = np.arange(plan.side)
        # (picture row, fragment column) and the other way round: which source row and column every pixel needs.
        rows = (plan.top[:, None, :] + steps[None, :, None]).reshape(-1, len(plan.top))
        columns = (plan.left[:, :, None] + steps[None, None, :]).reshape(len(plan.left), -1)
        self._resizes = shape != (plan.height, plan.width)
        self._grid, self._side = len(plan.top), plan.side
        down = _taps(rows, shape[0], plan.height)
        right = _taps(columns, shape[1], plan.width)
        side = self._side
        # To one value per pixel of the fragment picture.
        self._y0, self._y1, self._wy = (torch.from_numpy(np.repeat(a, side, axis=1)) for a in down)
        self._x0, self._x1, self._wx = (torch.from_numpy(np.repeat(a, side, axis=0)) for a in right)
        width = shape[1]
        self._corners = [(y * width + x).flatten() for y in (self._y0, self._y1) for x in (self._x0, self._x1)]

    def __call__(self, frame: NDArray[np.uint8]) -> Tensor:
        """Return the fragment picture of an (h, w, 3) uint8 frame: (grid · side, grid · side, 3) uint8."""
        pixels = torch.from_numpy(np.ascontiguousarray(frame)).view(-1, 3)
        size = self._grid * self._side
        if not self._resizes:
            return pixels.index_select(0, self._corners[0]).view(size, size, 3)
        corners = [pixels.index_select(0, c).view(size, size, 3).float().div_(255.0) for c in self._corners]
        wx, wy = self._wx[..., None], self._wy[..., None]
        upper = corners[0] * (1 - wx) + corners[1] * wx
        lower = corners[2] * (1 - wx) + corners[3] * wx
        return (upper * (1 - wy) + lower * wy).mul_(255.0).to(torch.uint8)


def _taps(
    wanted: NDArray[np.int64], source: int, target: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return the two source positions of each wanted one, and the second's weight, as torch computes them."""
    scale = np.float32(source / target)
    place = np.maximum(scale * (wanted.astype(np.float32) + np.float32(0.5)) - np.float32(0.5), np.float32(0))
    first = np.minimum(place.astype(np.int64), source - 1)
    second = np.minimum(first + 1, source - 1)
    return first, second, np.minimum(place - first.astype(np.float32), np.float32(1.0))


def normalise(fragments: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Return (3, frames, rows, columns) float32 of (frames, rows, columns, 3) uint8; statistics are of 0..255."""
    values = fragments.permute(3, 0, 1, 2).to(torch.float32)
    return (values - torch.tensor(mean).view(3, 1, 1, 1)) / torch.tensor(std).view(3, 1, 1, 1)
