"""Frames of raw YUV files, which hold pixels and nothing else: size and rate must be told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.timeline import Timeline, steady_timeline

RAW = re.compile(r"raw:(\d+)x(\d+)@(\d+(?:\.\d+)?)")
ENDING = ".yuv"


class RawFormat(NamedTuple):
    """What a raw file holds: planar 4:2:0 with 8 bits, frame after frame.

    Attributes:
        width, height: pixels, both even.
        rate: frames a second.
    """

    width: int
    height: int
    rate: float

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.width * self.height * 3 // 2


def raw_format(reader: str) -> RawFormat | None:
    """Return the format in a reader's name such as `raw:1920x1080@30`, or None.

    Raises:
        ValueError: width or height is odd or 0, or the rate 0.
    """
    found = RAW.fullmatch(reader)
    if found is None:
        return None
    width, height, rate = int(found[1]), int(found[2]), float(found[3])
    if width % 2 or height % 2 or not width or not height or not rate:
        raise ValueError(f"{reader}: width and height must be even, and the rate above 0")
    return RawFormat(width, height, rate)


def raw_timeline(path: Path, form: RawFormat) -> Timeline:
    """Return the timeline of a raw file.

    Raises:
        VideoError: it is missing or empty, or not a whole number of frames of this size.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise VideoError(f"{path} cannot be read ({error.strerror})") from None
    count, rest = divmod(size, form.frame_bytes)
    if rest or not count:
        raise VideoError(
            f"its {size} bytes are no whole number of {form.width}×{form.height} frames, {form.frame_bytes} each"
        )
    return steady_timeline(count, form.rate, form.width, form.height, "raw")


class RawReader:
    """A raw file; see `zoomvqa.video.reader.VideoReader`.

    Colours are converted as of a file that does not tag them.
    """

    def __init__(self, path: Path, form: RawFormat) -> None:
        self._path, self._form = path, form

    def read(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames."""
        form = self._form
        try:
            with self._path.open("rb") as handle:
                for index in indices:
                    handle.seek(index * form.frame_bytes)
                    planes = np.frombuffer(handle.read(form.frame_bytes), np.uint8)
                    if planes.size != form.frame_bytes:
                        raise VideoError(f"frame {index} is not there any more")
                    yuv = planes.reshape(form.height * 3 // 2, form.width)
                    frame = av.VideoFrame.from_ndarray(yuv, format="yuv420p")
                    yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        except OSError as error:
            raise VideoError(f"it cannot be read ({error.strerror})") from None
