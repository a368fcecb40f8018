"""Crops of single frames, as the network of patch scores takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameView
from zoomvqa.views.base import Cutter, KeepsFrames
from zoomvqa.views.resize import Box, resize_part

if TYPE_CHECKING:  # processes that decode do without torch
    from torch import Tensor

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


class FrameCrops(KeepsFrames):
    """Square crops of a resized frame: at fixed places for testing, one at random for training.

    A part's array is (1, crops, 3, crop, crop) float32, normalised; the network takes the crops of all parts as a
    batch.

    Args:
        settings: sizes, how many crops, mean and deviation.
    """

    gives = "crops"

    def __init__(self, settings: FrameView) -> None:
        self._settings = settings
        self._mean, self._std = (
            np.array(values, np.float32).reshape(3, 1, 1) for values in (settings.mean, settings.std)
        )

    def check(self, height: int, width: int) -> None:
        """Refuse frames that are too narrow to resize.

        Raises:
            VideoError: they are.
        """
        resized_shape(height, width, self._settings.resize)

    def cutter(self, shape: tuple[int, int], draw: np.random.Generator | None = None) -> Cutter:  # noqa: ARG002
        """Return what cuts (crops, 3, crop, crop) float32 out of frames, each by its own shape."""
        if draw is None:
            return self.test_crops
        seed = int(draw.integers(2**63))
        return lambda frame: self.random_crop(self.kept(frame), seed)[None]

    def test_crops(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the (crops, 3, crop, crop) normalised test crops of an (h, w, 3) uint8 frame.

        Raises:
            VideoError: it is too narrow to resize.
        """
        side = self._settings.crop
        shape = resized_shape(frame.shape[0], frame.shape[1], self._settings.resize)
        corners = crop_corners(*shape, side, self._settings.test_crops)
        crops = np.stack([resize_part(frame, shape, Box(top, left, side, side)) for top, left in corners])
        crops -= self._mean
        crops /= self._std
        return crops

    @property
    def kept_depends_on(self) -> int:
        """The resize."""
        return self._settings.resize

    def kept(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize a frame to the training resolution and round it to 8 bits.

        The rounding (at most half a level) is what lets training frames be cached in a quarter of the space; it
        happens with and without the cache, so that both train alike, and never when scoring.
        """
        return at_training_resolution(frame, self._settings.resize)

    def random_crop(self, frame: NDArray[np.uint8], seed: int) -> NDArray[np.float32]:
        """Return a (3, crop, crop) normalised crop, or a flipped one, of a frame that was `kept`."""
        draw = np.random.default_rng(seed)
        side = self._settings.crop
        top = int(draw.integers(frame.shape[0] - side + 1))
        left = int(draw.integers(frame.shape[1] - side + 1))
        cut = np.array(frame[top : top + side, left : left + side])
        if draw.random() < self._settings.flip:
            cut = cut[:, ::-1]
        crop: NDArray[np.float32] = cut.transpose(2, 0, 1).astype(np.float32, order="C")
        crop /= np.float32(255)
        crop -= self._mean
        crop /= self._std
        return crop

    def to_network(self, parts: Tensor) -> Tensor:
        """Return (n · crops, 3, crop, crop) of (n, 1, crops, 3, crop, crop) parts."""
        return parts.flatten(0, 2)

    def example(self, frames: int) -> Tensor:  # noqa: ARG002  a part is one frame
        """Return one crop of zeros, (1, 3, crop, crop)."""
        import torch  # noqa: PLC0415  processes that decode do without

        return torch.zeros(1, 3, self._settings.crop, self._settings.crop)

    def generator(self, draw: np.random.Generator) -> np.random.Generator:
        """Return a generator of its own, so that other views draw the same beside it."""
        return np.random.default_rng(int(draw.integers(2**63)))


def at_training_resolution(frame: NDArray[np.uint8], resize: int) -> NDArray[np.uint8]:
    """Return a frame whose short side is `resize` pixels, rounded to 8 bits: (h, w, 3) uint8."""
    height, width = resized_shape(frame.shape[0], frame.shape[1], resize)
    picture = resize_part(frame, (height, width), Box(0, 0, height, width))
    picture *= np.float32(255)
    return np.ascontiguousarray(np.rint(picture, out=picture).astype(np.uint8).transpose(1, 2, 0))
