"""Bilinear resizing of parts of a picture, the same to the last bit whatever the number of threads.

Torch resizes in another way where it has one thread only, so that a score would depend on it. Here NumPy does it,
on one thread, and only for the pixels that are wanted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """A part of a picture, in pixels.

    Attributes:
        top, left: its first row and column.
        height, width: its size.
    """

    top: int
    left: int
    height: int
    width: int


class Taps(NamedTuple):
    """Where along one axis the values of a resized picture come from.

    Attributes:
        first, second: int64 positions in the source, of the shape of what was wanted.
        share: float32, the weight of the second, 0..1.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    share: NDArray[np.float32]


def bilinear_taps(wanted: NDArray[np.int64], source: int, target: int) -> Taps:
    """Return where positions of an axis of `target` pixels lie in one of `source`, as torch computes them.

    Half-pixel centres, no antialias.
    """
    scale = np.float32(source / target)
    place = np.maximum(scale * (wanted.astype(np.float32) + np.float32(0.5)) - np.float32(0.5), np.float32(0))
    first = np.minimum(place.astype(np.int64), source - 1)
    second = np.minimum(first + 1, source - 1)
    return Taps(first, second, np.minimum(place - first.astype(np.float32), np.float32(1.0)))


def resize_part(frame: NDArray[np.uint8], shape: tuple[int, int], box: Box) -> NDArray[np.float32]:
    """Return a part of a resized picture.

    Args:
        frame: (h, w, 3) uint8.
        shape: (height, width) of the whole resized picture.
        box: the part of it.

    Returns:
        (3, box.height, box.width) float32 in 0..1.
    """
    if frame.shape[:2] == shape:
        return _unit_range(frame[box.top : box.top + box.height, box.left : box.left + box.width])
    rows = bilinear_taps(np.arange(box.top, box.top + box.height), frame.shape[0], shape[0])
    columns = bilinear_taps(np.arange(box.left, box.left + box.width), frame.shape[1], shape[1])
    above, before = int(rows.first[0]), int(columns.first[0])
    values = _unit_range(frame[above : int(rows.second[-1]) + 1, before : int(columns.second[-1]) + 1])
    across = _mix(values, columns, before, axis=2)
    return _mix(across, rows, above, axis=1)


def _unit_range(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (3, h, w) float32 in 0..1 of (h, w, 3) uint8."""
    values = pixels.transpose(2, 0, 1).astype(np.float32, order="C")
    values /= np.float32(255)
    return values


def _mix(values: NDArray[np.float32], taps: Taps, start: int, axis: int) -> NDArray[np.float32]:
    """Return the values between those that the taps name, counted from `start`."""
    share = taps.share.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
    mixed = np.take(values, taps.first - start, axis=axis)
    mixed *= 1 - share
    other = np.take(values, taps.second - start, axis=axis)
    other *= share
    mixed += other
    return mixed
