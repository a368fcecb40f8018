"""Frames through decord, for the files that it is proven to read right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.alive import beat
from zoomvqa.video.counting import checksum, first_of_plain
from zoomvqa.video.timeline import Timeline

# What decord is trusted with: `tests/video/test_matrix.py` compares each with the ffmpeg program, pixel by pixel.
_CONTAINERS = frozenset({"mov", "matroska"})
_CODECS = frozenset({"h264", "hevc", "vp9", "mpeg4"})
_PIXELS = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuv444p"})
_MATRICES = frozenset({1, 2, 5, 6})  # BT.709, not told, BT.601
# Where a picture's padded row is a multiple of its width, decord takes the padding for more colours. Rows are
# padded to at most 128 bytes, so this cannot happen from here on (seen at 2, 4, 8, 12, 16, 24 and 48 pixels).
_NARROWEST = 128
# Whatever it decodes ahead of its reader then fits into 256 MB: 165 frames of 540p, 93 of 720p.
_MOST_AHEAD = 256_000_000
# decord imported before torch can freeze a DataLoader: torch comes first, but where a process has no use for it.
torch_first = True


def decord_doubts(path: Path, line: Timeline) -> str:
    """Name what in this file decord is not proven to read right, or return an empty string."""
    plain_times = line.timed and all(before < after for before, after in pairwise(line.pts))
    doubts = {
        f"the container {line.container.split(',')[0]}": not _CONTAINERS & set(line.container.split(",")),
        f"the codec {line.codec}": line.codec not in _CODECS,
        f"pixels of the format {line.pixels}": line.pixels not in _PIXELS,
        f"the colour matrix {line.colours.matrix}": line.colours.matrix not in _MATRICES,
        f"a picture {line.width} pixels wide": line.width < _NARROWEST,
        "pictures with an odd width or height": bool(line.width % 2 or line.height % 2),
        "a file with several videos": line.videos > 1,
        "a stream whose parameters change midway": line.varies,
        "an edit list with hidden frames": line.hidden > 0,
        "a video that does not begin at 0 s, or frames of one time": not plain_times or line.pts[0] != 0,
        "open groups of pictures": line.open_gop,
        "pictures that the container crops": any(line.crop),
        "packets that are no frames": line.counted,
    }
    found = next((doubt for doubt, is_there in doubts.items() if is_there), "")
    return found or ("" if first_of_plain(path, len(line)) else "damaged, turned or interlaced pictures")


def decord_hoards(line: Timeline) -> bool:
    """Tell whether decord could fill the memory with frames of a video.

    While the next frame is not there yet it reads on, without bound, and all that it read is decoded and kept: of
    eight seconds of 1080p 1.4 GB are held where the reader takes 20 frames a second, of 4K 4.9 GB (decord 0.6.0).
    """
    return len(line) * line.height * line.width * 3 > _MOST_AHEAD


class DecordReader:
    """A file opened by decord; see `zoomvqa.video.reader.VideoReader`."""

    def __init__(self, path: Path, timeline: Timeline) -> None:
        if torch_first:
            import torch  # noqa: F401, PLC0415
        import decord  # noqa: PLC0415  loads its own FFmpeg: only where it is used

        # The last of names that are no text: decord cannot be told them.
        self._errors = (decord.DECORDError, IndexError, RuntimeError, StopIteration, UnicodeEncodeError)
        path = path.absolute()  # a relative http:/host/x.mp4 would be an address, and asked for
        try:
            self._open = lambda: decord.VideoReader(str(path), num_threads=0)
            self._reader: Any = self._open()
            first = self._reader.next().asnumpy()
        except self._errors as error:
            raise VideoError(f"decord cannot open it: {_first_line(error)}") from None
        if len(self._reader) != len(timeline):
            raise VideoError(
                f"decord counts {len(self._reader)} frames where the file shows {len(timeline)}; use reader=pyav"
            )
        if checksum(first) != first_of_plain(path, len(timeline)):  # such as H.264 that crops at the left
            raise VideoError("decord shows other pixels than PyAV; use reader=pyav")
        self._position = 1

    def read(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames, reading in sequence: where decord skips frames, it seeks, and may come out at others.

        Raises:
            VideoError: a frame does not decode.
        """
        for index in indices:
            if index < self._position:
                self._reader, self._position = self._open(), 0
            try:
                for _ in range(index - self._position):
                    beat()
                    self._reader.next()
                beat()
                frame = self._reader.next().asnumpy()
            except self._errors as error:
                raise VideoError(f"frame {index} does not decode: {_first_line(error)}") from None
            self._position = index + 1
            yield frame


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
