"""The header of ASF, which WMV files are."""

from __future__ import annotations

import struct
import uuid
from typing import BinaryIO

from zoomvqa.video.headers.track import TrackHeader

_FILE_PROPERTIES = uuid.UUID("8cabdca1-a947-11cf-8ee4-00c00c205365").bytes_le
_IS_LIVE = 1


def read_asf(file: BinaryIO) -> TrackHeader:
    """Read how long an ASF file says it is; FFmpeg does not hand that on where the file is cut short.

    Raises:
        struct.error: it is damaged.
    """
    at, end = 30, struct.unpack_from("<Q", file.read(30), 16)[0]
    while at + 24 <= end:
        file.seek(at)
        kind, size = struct.unpack("<16sQ", file.read(24))
        if kind == _FILE_PROPERTIES:
            # File ID, file size and creation time are passed over, and how long sending it takes.
            play, preroll, flags = struct.unpack_from("<Q8xQI", file.read(68), 40)
            return TrackHeader(seconds=0.0 if flags & _IS_LIVE else max(0.0, play / 1e7 - preroll / 1e3))
        at += max(size, 24)
    return TrackHeader()
