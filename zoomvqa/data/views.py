"""From a decoded frame to the pixels that the IQA network sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoomvqa.data.resize import Box, resize_part
from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameView

# A frame so narrow that its resize would need more than this is refused rather than tried.
LONGEST_SIDE = 16_384


def resized_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """Return the (height, width) of a picture whose short side is brought to `size` pixels.

    The long side is `int(size · long / short)`.

    Raises:
        VideoError: the picture is so narrow that its long side would exceed 16384 pixels.
    """
    short, long = min(height, width), max(height, width)
    new_long = int(size * long / short)
    if new_long > LONGEST_SIDE:
        raise VideoError(f"the frame's shape, {width}×{height} pixels, is too narrow to resize")
    return (size, new_long) if height <= width else (new_long, size)


def crop_corners(height: int, width: int, crop: int, count: int) -> list[tuple[int, int]]:
    """Return the (top, left) of the test crops of a picture: the same for every picture of that shape.

    1 is the centre; 5 the top left, centre, top right, bottom left and bottom right; any other number gives
    as many places drawn once by a fixed seed (the release draws them anew each time, so its scores vary).
    """
    down, right = height - crop, width - crop
    centre = (down // 2, right // 2)
    if count == 1:
        return [centre]
    if count == 5:
        return [(0, 0), centre, (0, right), (down, 0), (down, right)]
    draw = np.random.default_rng([height, width, crop, count])
    return [(int(draw.integers(down + 1)), int(draw.integers(right + 1))) for _ in range(count)]


class TestView:
    """Deterministic crops of a frame, for validation and scoring."""

    __test__ = False  # not a test case, whatever its name begins with

    def __init__(self, settings: FrameView) -> None:
        self._settings = settings
        self._mean, self._std = _statistics(settings)

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the (crops, 3, crop, crop) normalised float32 views of an (h, w, 3) uint8 frame."""
        side = self._settings.crop
        shape = resized_shape(frame.shape[0], frame.shape[1], self._settings.resize)
        corners = crop_corners(*shape, side, self._settings.test_crops)
        views = np.stack([resize_part(frame, shape, Box(top, left, side, side)) for top, left in corners])
        views -= self._mean
        views /= self._std
        return views


class TrainView:
    """A random crop and flip of a frame that is already at the training resolution."""

    def __init__(self, settings: FrameView) -> None:
        self._settings = settings
        self._mean, self._std = _statistics(settings)

    def __call__(self, frame: NDArray[np.uint8], seed: int) -> NDArray[np.float32]:
        """Return the (3, crop, crop) normalised float32 view of an (h, w, 3) uint8 frame that `seed` draws."""
        draw = np.random.default_rng(seed)
        side = self._settings.crop
        top = int(draw.integers(frame.shape[0] - side + 1))
        left = int(draw.integers(frame.shape[1] - side + 1))
        cut = np.array(frame[top : top + side, left : left + side])
        if draw.random() < self._settings.flip:
            cut = cut[:, ::-1]
        view: NDArray[np.float32] = cut.transpose(2, 0, 1).astype(np.float32, order="C")
        view /= np.float32(255)
        view -= self._mean
        view /= self._std
        return view


def at_training_resolution(frame: NDArray[np.uint8], resize: int) -> NDArray[np.uint8]:
    """Resize a frame to the training resolution and round it to 8 bits.

    The rounding (at most half a level) is what lets training frames be cached in a quarter of the space; it
    happens with and without the cache, so that both train alike, and never when scoring.
    """
    height, width = resized_shape(frame.shape[0], frame.shape[1], resize)
    picture = resize_part(frame, (height, width), Box(0, 0, height, width))
    picture *= np.float32(255)
    return np.ascontiguousarray(np.rint(picture, out=picture).astype(np.uint8).transpose(1, 2, 0))


def _statistics(settings: FrameView) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    mean, std = (np.array(values, np.float32).reshape(3, 1, 1) for values in (settings.mean, settings.std))
    return mean, std
