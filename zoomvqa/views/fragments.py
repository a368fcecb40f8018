"""Fragments of a frame: small patches of its resized picture, laid side by side (FAST-VQA, arXiv 2207.02595).

Only the pixels that the fragments need are resized: the full resized picture is never made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.settings.vqa import ClipView
from zoomvqa.views.base import Cutter, View
from zoomvqa.views.crops import LONGEST_SIDE
from zoomvqa.views.resize import bilinear_taps

if TYPE_CHECKING:  # processes that decode do without torch
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


def plan_view(view: ClipView, height: int, width: int, draw: np.random.Generator | None = None) -> FragmentPlan:
    """Return where the pixels of a clip's pictures lie, for frames of `height` × `width` pixels.

    `fragments` is the paper's; `crop` is one fragment as large as all of them together; `whole` squeezes the
    whole frame into that size.

    Args:
        view: what the network is to see.
        height: of the frames, pixels.
        width: of the frames, pixels.
        draw: for training; None is the deterministic choice for testing.

    Raises:
        VideoError: the frames are so narrow that their resize would exceed 16384 pixels.
    """
    if view.kind == "whole":
        corner = np.zeros((1, 1), dtype=np.int64)
        return FragmentPlan(view.size, view.size, corner, corner, view.size)
    grid, side = (view.grid, view.side) if view.kind == "fragments" else (1, view.size)
    plan = plan_fragments(*resized_shape(height, width, view.resize), grid, side, draw)
    if max(plan.height, plan.width) > LONGEST_SIDE:
        raise VideoError(f"the frame's shape, {width}×{height} pixels, is too narrow to resize")
    return plan


class FragmentCutter:
    """Cuts the same fragments out of every frame of a clip, resizing only their pixels.

    Bilinear, half-pixel centres, no antialias; values go through 0..1 and are cut down to whole levels, as in
    the release, whose truncation its weights were trained with. It works on one thread, with NumPy: torch's
    threads would wait for the decoder's.

    Args:
        shape: (height, width) of the frames.
        plan: where the fragments lie in the resized picture.
    """

    def __init__(self, shape: tuple[int, int], plan: FragmentPlan) -> None:
        self._shape, self._size = shape, len(plan.top) * plan.side
        steps = np.arange(plan.side)
        grid, side = len(plan.top), plan.side
        # (grid row, pixel row, grid column) and (grid row, grid column, pixel column): the source of every pixel.
        y0, y1, down = bilinear_taps(plan.top[:, None, :] + steps[None, :, None], shape[0], plan.height)
        x0, x1, right = bilinear_taps(plan.left[:, :, None] + steps[None, None, :], shape[1], plan.width)
        self._resizes = shape != (plan.height, plan.width)
        corners = [(y, x) for y in (y0, y1) for x in (x0, x1)] if self._resizes else [(y0, x0)]
        places = [y[:, :, :, None] * shape[1] + x[:, None, :, :] for y, x in corners]
        self._places = np.stack(places).astype(np.intp).reshape(-1)
        # Weights in the shape (grid row, pixel row, grid column, pixel column and colour).
        self._right, self._down = np.repeat(right[:, None], 3, axis=3), down[..., None]
        self._left, self._up = 1 - self._right, 1 - self._down
        self._found = np.empty((len(self._places), 3), np.uint8)
        self._values = np.empty((len(corners), grid, side, grid, 3 * side), np.float32)

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the fragment picture of an (h, w, 3) uint8 frame: (grid · side, grid · side, 3) uint8.

        Raises:
            VideoError: the frame has another shape than the first.
        """
        if frame.shape[:2] != self._shape:
            raise VideoError(f"its frames have different shapes: {_told(self._shape)} and {_told(frame.shape)}")
        pixels = np.ascontiguousarray(frame).reshape(-1, 3)
        np.take(pixels, self._places, axis=0, out=self._found, mode="clip")
        picture = (self._size, self._size, 3)
        if not self._resizes:
            return self._found.reshape(picture).copy()
        values = self._values
        np.copyto(values.reshape(-1), self._found.reshape(-1))
        values /= np.float32(255)
        values[0::2] *= self._left
        values[1::2] *= self._right
        upper, upper_right, lower, lower_right = values
        upper += upper_right
        lower += lower_right
        upper *= self._up
        lower *= self._down
        upper += lower
        upper *= np.float32(255)
        return upper.astype(np.uint8).reshape(picture)


def _told(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"


class ClipPictures(View):
    """Square pictures of a clip's frames: fragments of them, one piece, or the whole frame squeezed.

    A part's array is (frames, size, size, 3) uint8, a quarter of what it is once it is normalised for the network.

    Args:
        settings: kind, sizes, mean and deviation.
    """

    gives = "clips"

    def __init__(self, settings: ClipView) -> None:
        self._settings = settings

    def check(self, height: int, width: int) -> None:
        """Refuse frames that are too narrow to resize.

        Raises:
            VideoError: they are.
        """
        plan_view(self._settings, height, width)  # drawn plans lie within pictures of the same size

    def cutter(self, shape: tuple[int, int], draw: np.random.Generator | None = None) -> Cutter:
        """Return what cuts a (size, size, 3) uint8 picture out of frames of one shape."""
        return FragmentCutter(shape, plan_view(self._settings, *shape, draw))

    def to_network(self, parts: Tensor) -> Tensor:
        """Return (n, 3, frames, size, size) float32, normalised, of (n, frames, size, size, 3) uint8 clips.

        Raises:
            ValueError: the clips are not uint8.
        """
        import torch  # noqa: PLC0415  processes that decode do without

        if parts.dtype != torch.uint8:  # a float clip would be overwritten, and may be normalised already
            raise ValueError(f"clips: expected uint8, got {parts.dtype}")
        mean = torch.tensor(self._settings.mean, device=parts.device).view(3, 1, 1, 1)
        std = torch.tensor(self._settings.std, device=parts.device).view(3, 1, 1, 1)
        moved = parts.movedim(-1, -4).to(torch.float32, memory_format=torch.contiguous_format)
        return moved.sub_(mean).div_(std)

    def example(self, frames: int) -> Tensor:
        """Return one clip of zeros, (1, 3, frames, size, size)."""
        import torch  # noqa: PLC0415

        return torch.zeros(1, 3, frames, self._settings.size, self._settings.size)
