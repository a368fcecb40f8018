"""Frames that are in memory already, behind the interface of a video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zoomvqa.errors import VideoError
from zoomvqa.video.reader import Frame
from zoomvqa.video.timeline import steady_timeline

# Frames a second; what is slower is no video.
_SLOWEST = 1e-3


class ArrayVideo:
    """A video that somebody else has decoded.

    Args:
        frames: (frames, height, width, 3) uint8 RGB, upright, in order: a NumPy array, a torch tensor, or what
            NumPy can make an array of.
        fps: frames a second.

    Attributes:
        timeline: evenly spaced.
        reader: `array`.
        note, damage: empty.

    Raises:
        VideoError: the frames have another shape or dtype, or there are none, or `fps` is not above 0.
    """

    reader = "array"
    note = ""
    damage = ""

    def __init__(self, frames: Any, fps: float) -> None:
        try:
            pixels, rate = np.asarray(frames.cpu() if hasattr(frames, "cpu") else frames), float(fps)
        except (TypeError, ValueError) as error:
            raise VideoError(f"frames, fps: expected an array of frames and a number ({error})") from None
        if pixels.ndim != 4 or pixels.shape[-1] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise VideoError(
                f"frames: expected (frames, height, width, 3) uint8 RGB, got {pixels.shape} {pixels.dtype}"
            )
        if not _SLOWEST <= rate < float("inf"):
            raise VideoError(f"fps: expected a number above 0, got {fps}")
        self._frames = pixels
        self.timeline = steady_timeline(len(pixels), rate, pixels.shape[2], pixels.shape[1], "array")

    def frames(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames of `indices`."""
        return (self._frames[index] for index in indices)
