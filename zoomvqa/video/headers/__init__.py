"""What container headers say of a video that FFmpeg's Python binding does not hand on."""

from __future__ import annotations

import struct
from pathlib import Path

from zoomvqa.video.headers.asf import read_asf
from zoomvqa.video.headers.matroska import read_matroska
from zoomvqa.video.headers.mp4 import read_mp4
from zoomvqa.video.headers.track import NO_CROP, Crop, TrackHeader

__all__ = ["NO_CROP", "Crop", "TrackHeader", "track_header"]


def track_header(path: Path, container: str, track: int, number: int) -> TrackHeader:
    """Read what a file's header says of a video track; of other containers, or where it is damaged, nothing.

    Args:
        path: of the file.
        container: FFmpeg's names of the container format, comma-separated.
        track: the track's ID in MP4.
        number: which of the video tracks it is, from 0, in Matroska.
    """
    formats = set(container.split(","))
    try:
        with path.open("rb") as file:
            if "mov" in formats:
                return read_mp4(file, track)
            if "matroska" in formats:
                return read_matroska(file, number)
            if "asf" in formats:
                return read_asf(file)
    except (struct.error, IndexError, ZeroDivisionError, OverflowError):
        pass  # FFmpeg reads what it can of it
    return TrackHeader()
