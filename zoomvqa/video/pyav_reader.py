"""Frames through PyAV: read in sequence, right on all files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.container import first_line, main_video, open_container, packets_of
from zoomvqa.video.decoding import decoded, set_up_decoder
from zoomvqa.video.show import AS_IS, Show, deinterlaced
from zoomvqa.video.timeline import Timeline
from zoomvqa.video.upright import Pictures


class PyAVReader:
    """A file opened by PyAV; see `zoomvqa.video.reader.VideoReader`.

    Args:
        path: of it.
        timeline: of it.
        show: what is done to its pictures.

    Attributes:
        interlaced: whether a frame that was decoded until now is marked as interlaced.
    """

    def __init__(self, path: Path, timeline: Timeline, show: Show = AS_IS) -> None:
        self._path, self._show, self.interlaced = path, show, False
        self._timeline = timeline
        self._pictures = pictures_of(timeline, show)  # what it sets up for HDR takes seconds, and is kept
        increases = all(before < after for before, after in pairwise(timeline.pts))
        # AVI gives times in the order of decoding.
        self._trusts_times = increases and not timeline.counted and timeline.container != "avi"

    def read(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames by decoding the file from its start up to the last index.

        Raises:
            DamagedError: a frame does not decode or is marked as corrupt, or one is missing among those decoded.
        """
        wanted = iter(indices)
        index = next(wanted, None)
        position = -1
        try:
            with open_container(self._path) as container:
                stream = main_video(container)
                decoder = set_up_decoder(stream, threads=True)
                frames = self._checked(decoded(packets_of(container, stream), decoder))
                frames = deinterlaced(frames) if self._show.deinterlaces else frames
                for position, frame in enumerate(frames):
                    if position == index:
                        yield self._pictures(frame)
                        index = next(wanted, None)
                    if index is None:
                        return
        except av.FFmpegError as error:
            raise DamagedError(f"frame {position + 1} does not decode: {first_line(error)}") from None
        except ValueError as error:
            raise VideoError(f"frame {position + 1} cannot be read: {first_line(error)}") from None
        if index is not None:
            raise DamagedError(f"only {position + 1} of {len(self._timeline)} frames decode")

    def _checked(self, frames: Iterator[Any]) -> Iterator[Any]:
        for position, frame in enumerate(frames):
            self._check(position, frame)
            self.interlaced = self.interlaced or frame.interlaced_frame
            yield frame

    def _check(self, position: int, frame: Any) -> None:
        """Refuse a frame that FFmpeg marked as corrupt, or that is not the one at its place.

        A decoder leaves out what it cannot decode: the next frame is then shown later than it should be.
        """
        if frame.is_corrupt:
            raise DamagedError(f"frame {position} is damaged")
        if position >= len(self._timeline):
            raise DamagedError(f"more than {len(self._timeline)} frames decode")
        if self._trusts_times and frame.pts is not None and frame.pts > self._timeline.pts[position]:
            raise DamagedError(f"frame {position} does not decode")


def pictures_of(line: Timeline, show: Show) -> Pictures:
    """Return what makes arrays of the decoded frames of a video."""
    return Pictures(line.crop, show.width(line), tonemap=show.tone_maps(line))
