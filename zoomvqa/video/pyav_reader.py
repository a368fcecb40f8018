"""Frames through PyAV: slower in places than decord, right on more files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.timeline import Timeline, open_container


class PyAVReader:
    """A file opened by PyAV; see `zoomvqa.video.reader.VideoReader`."""

    def __init__(self, path: Path, timeline: Timeline) -> None:
        self._path = path
        self._timeline = timeline

    def read(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames by decoding the file from its start up to the last index."""
        wanted = iter(indices)
        index = next(wanted, None)
        position = -1
        try:
            with open_container(self._path) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                for position, frame in enumerate(container.decode(stream)):
                    if index is None:
                        return
                    if position == index:
                        yield _upright(frame.to_ndarray(format="rgb24"), frame.rotation)
                        index = next(wanted, None)
        except (av.FFmpegError, ValueError) as error:
            raise VideoError(f"frame {position + 1} does not decode: {str(error).splitlines()[0]}") from None
        if index is not None:
            raise VideoError(f"only {position + 1} of {len(self._timeline)} frames decode")


def _upright(picture: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """Turn a picture by the display matrix's angle (degrees, counter-clockwise, multiples of 90)."""
    return np.ascontiguousarray(np.rot90(picture, k=round(rotation / 90) % 4)) if rotation else picture
