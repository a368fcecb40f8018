"""Prints of pictures: small enough to compare every video of a set with every other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.video.reader import ReaderName
from zoomvqa.views.store import open_store

# A picture's print: its mean brightness in so many rows and columns.
GRID = 8
# Prints are of one scene where they correlate by so much, brightness and contrast aside.
_ALIKE = 0.9
# Pictures whose cells differ by less, in grey levels, are flat, and like every other flat one.
_FLAT = 2.0
_ROWS = 1024


def picture_print(grey: NDArray[np.floating] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mean brightness of 8×8 cells of a picture, (64,) uint8; smaller pictures repeat theirs.

    Args:
        grey: (height, width), 0..255.
    """
    rows, columns = (np.arange(GRID) * side // GRID for side in grey.shape)
    sums = np.add.reduceat(np.add.reduceat(grey.astype(np.float64), rows, axis=0), columns, axis=1)
    cells = np.outer(_widths(rows, grey.shape[0]), _widths(columns, grey.shape[1]))
    return np.round(sums / cells).astype(np.uint8).ravel()


def _widths(starts: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    return np.maximum(1, np.diff([*starts, side]))


def video_prints(path: Path, reader: ReaderName) -> NDArray[np.uint8]:
    """Return the prints of a video's first, middle and last frame, (3, 64) uint8.

    Raises:
        VideoError: it cannot be read.
    """
    store = open_store(path, reader)
    count = len(store.timeline)
    places = [0, count // 2, count - 1]
    once = sorted(set(places))
    prints = [picture_print(np.asarray(picture).mean(axis=2)) for picture in store.frames(once)]
    return np.stack([prints[once.index(place)] for place in places])


def groups_alike(prints: Sequence[NDArray[np.uint8]]) -> list[int]:
    """Return a number for each video, equal for those that show one scene: alike, or alike to one that is.

    Args:
        prints: (3, 64) of each video.
    """
    cells = np.stack(prints).astype(np.float32)
    cells -= cells.mean(axis=2, keepdims=True)
    spread = cells.std(axis=2, keepdims=True)
    usable = (spread >= _FLAT).all(axis=(1, 2))
    # Rows of one length: a product then is the mean correlation of the three pairs of pictures.
    rows = (cells / np.maximum(spread, _FLAT)).reshape(len(cells), -1)
    rows /= np.sqrt(rows.shape[1])
    group = list(range(len(rows)))
    for start in range(0, len(rows), _ROWS):
        like = rows[start : start + _ROWS] @ rows.T >= _ALIKE
        like &= usable[start : start + _ROWS, None] & usable
        for one, other in zip(*np.nonzero(like), strict=True):
            _join(group, int(one) + start, int(other))
    return [_root(group, number) for number in range(len(rows))]


def _root(group: list[int], number: int) -> int:
    while group[number] != number:
        group[number] = group[group[number]]
        number = group[number]
    return number


def _join(group: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(group, one), _root(group, other)))
    group[second] = first
