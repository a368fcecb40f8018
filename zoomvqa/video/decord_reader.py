"""Frames through decord, kept to what it does right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.alive import beat
from zoomvqa.video.pyav_reader import first_turn
from zoomvqa.video.timeline import Timeline

# Where a picture's padded row is a multiple of its width, decord takes the padding for more colours. Rows are
# padded to at most 128 bytes, so this cannot happen from here on (seen at 2, 4, 8, 12, 16, 24 and 48 pixels).
_NARROWEST = 128
# Whatever it decodes ahead of its reader then fits into 256 MB: 165 frames of 540p, 93 of 720p.
_MOST_AHEAD = 256_000_000
# decord imported before torch can freeze a DataLoader: torch comes first, but where a process has no use for it.
torch_first = True
_ODD = {"mpegts", "mpeg", "gif", "apng", "h264", "hevc", "image2", "ogg"}


def decord_misreads(timeline: Timeline) -> str:
    """Name what in this file decord is known to get wrong, or return an empty string.

    Measured on decord 0.6.0: AV1 is not in its FFmpeg; files with hidden pre-roll frames come out with the
    wrong length, and can hang; MPEG-TS and MPEG-PS frames are wrong; GIF, APNG and raw streams fail; some
    very narrow pictures come out with more than three colours; of several videos it takes another than ffmpeg;
    pictures that change their size are all brought to the first size.
    """
    formats = set(timeline.container.split(","))
    odd = sorted(formats & _ODD) + sorted(name for name in formats if name.endswith("_pipe"))
    troubles = {
        f"the codec {timeline.codec}": timeline.codec in {"av1", "libdav1d", "libaom-av1", "theora"},
        "an edit list with hidden frames": timeline.hidden > 0,
        "a file with several videos": timeline.videos > 1,
        "a stream whose parameters change midway": timeline.varies,
        f"a picture {timeline.width} pixels wide": timeline.width < _NARROWEST,
        f"the container {odd[0] if odd else ''}": bool(odd),
    }
    return next((trouble for trouble, is_there in troubles.items() if is_there), "")


def decord_hoards(timeline: Timeline) -> bool:
    """Tell whether decord could fill the memory with frames of a video.

    While the next frame is not there yet it reads on, without bound, and all that it read is decoded and kept: of
    eight seconds of 1080p 1.4 GB are held where the reader takes 20 frames a second, of 4K 4.9 GB (decord 0.6.0).
    """
    return len(timeline) * timeline.height * timeline.width * 3 > _MOST_AHEAD


class DecordReader:
    """A file opened by decord; see `zoomvqa.video.reader.VideoReader`."""

    def __init__(self, path: Path, timeline: Timeline) -> None:
        if torch_first:
            import torch  # noqa: F401, PLC0415
        import decord  # noqa: PLC0415  loads its own FFmpeg: only where it is used

        # The last of names that are no text: decord cannot be told them.
        self._errors = (decord.DECORDError, IndexError, RuntimeError, StopIteration, UnicodeEncodeError)
        path = path.absolute()  # a relative http:/host/x.mp4 would be an address, and asked for
        self._path, self._timeline, self._upright = path, timeline, False
        try:
            self._open = lambda: decord.VideoReader(str(path), num_threads=0)
            self._reader: Any = self._open()
        except self._errors as error:
            raise VideoError(f"decord cannot open it: {_first_line(error)}") from None
        if len(self._reader) != len(timeline):
            raise VideoError(
                f"decord counts {len(self._reader)} frames where the file shows {len(timeline)}; use reader=pyav"
            )
        self._position = 0
        # Skipping seeks. Where a group of pictures is open, seeks land late; where frames have one time, which of
        # them are left out differs from run to run; in AVI too, whose times are those of decoding (seen once).
        steady = len(set(timeline.pts)) == len(timeline) and timeline.container != "avi"
        self._skips = steady and not timeline.open_gop

    def read(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames, moving forward only: decord's seeking is wrong on open groups of pictures.

        Raises:
            VideoError: a frame does not decode, or the pictures are turned in a way that decord does not see.
        """
        self._check_turn()
        for index in indices:
            if index < self._position:
                self._reader, self._position = self._open(), 0
            beat()
            try:
                self._forward(index - self._position)
                frame = self._reader.next().asnumpy()
            except self._errors as error:
                raise VideoError(f"frame {index} does not decode: {_first_line(error)}") from None
            self._position = index + 1
            yield frame

    def _check_turn(self) -> None:
        """Refuse turned pictures but for rotated ones in MP4 and its kin: those are the ones decord turns."""
        formats = set(self._timeline.container.split(","))
        if self._upright or not formats & {"mov", "matroska"}:  # no other container tells
            return
        turn = first_turn(self._path)
        if turn is not None and any(turn) and not ("mov" in formats and turn.is_rotation):
            how = "rotated pictures in Matroska" if turn.is_rotation else "mirrored pictures"
            raise VideoError(f"decord does not read {how} correctly; use reader=auto or reader=pyav")
        self._upright = True

    def _forward(self, frames: int) -> None:
        if frames > 0 and self._skips:
            self._reader.skip_frames(frames)
            return
        for _ in range(frames):
            beat()
            self._reader.next()


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
