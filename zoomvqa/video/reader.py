"""One interface to the video decoders; nothing outside this file knows which one runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from zoomvqa.errors import VideoError, nearest
from zoomvqa.video.decord_reader import DecordReader, decord_doubts, decord_hoards
from zoomvqa.video.pyav_reader import PyAVReader
from zoomvqa.video.raw_reader import ENDING, RawReader, raw_format, raw_timeline
from zoomvqa.video.read_timeline import read_timeline
from zoomvqa.video.show import AS_IS, Show
from zoomvqa.video.timeline import Timeline
from zoomvqa.video.torchcodec_reader import TorchCodecReader, torchcodec_decoder, torchcodec_doubts

Frame = NDArray[np.uint8]


_NAMES = ["auto", "decord", "pyav", "torchcodec"]


def _is_reader(name: str) -> str:
    if name not in _NAMES and raw_format(name) is None:
        raise ValueError(f"{', '.join(_NAMES)}, or raw:WIDTHxHEIGHT@RATE for .yuv files{nearest(name, _NAMES)}")
    return name


ReaderName = Annotated[str, AfterValidator(_is_reader)]


class VideoReader(Protocol):
    """A decoder opened on one file."""

    def read(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames of `indices`, each a new (height, width, 3) uint8 RGB array, upright.

        Args:
            indices: never decreasing, each from 0 to the number of frames less one.

        Raises:
            VideoError: a frame cannot be decoded.
        """
        ...


_READERS: dict[str, Callable[[Path, Timeline], VideoReader]] = {
    "decord": DecordReader,
    "torchcodec": TorchCodecReader,
}
# What each is not proven to read right, in words; PyAV reads in sequence with the newest FFmpeg, and is the judge.
_DOUBTS: dict[str, Callable[[Path, Timeline], str]] = {
    "decord": decord_doubts,
    "pyav": lambda _path, _line: "",
    "torchcodec": torchcodec_doubts,
}


def check_reader(reader: ReaderName) -> None:
    """Find out, before any file is read, whether a reader can work here.

    Raises:
        ToolError: `torchcodec` is not installed, or the system has no FFmpeg libraries for it.
    """
    if reader == "torchcodec":
        torchcodec_decoder()


class Video:
    """A video file: its timeline, and its frames decoded on demand.

    Open it in the process that reads it; decoders do not survive a fork.

    Args:
        path: the file.
        reader: `decord`, `pyav`, `torchcodec`, or `auto`: decord for the files that it is proven to read right and
            cannot fill the memory with, PyAV for all others. With `raw:1920x1080@30` that is what .yuv files
            hold, and others are read as with `auto`.
        show: what is done to its pictures; where that is anything, PyAV reads them.

    Attributes:
        timeline: when each frame is shown.
        reader: the decoder in use; it may change midway.
        note, damage: see `zoomvqa.views.decoding.FrameStore`.

    Raises:
        DamagedError: it is a video, but damaged or cut short. Reading frames may raise it, too.
        VideoError: the file is not a readable video, or the reader asked for is not proven to read it right.
        ToolError: the reader asked for is not installed.
    """

    damage = ""

    def __init__(self, path: Path, reader: ReaderName = "auto", show: Show = AS_IS) -> None:
        self.path, self._show = path, show
        self._decoder: VideoReader
        form = raw_format(reader)
        if path.suffix.lower() == ENDING:
            if form is None:
                raise VideoError("a raw file does not tell its size and rate; give reader=raw:1920x1080@30")
            self._may_switch, self.reader = False, "raw"
            self.timeline, self._decoder = raw_timeline(path, form), RawReader(path, form)
            return
        reader = "auto" if form else reader
        self.timeline = read_timeline(path)
        self._may_switch = reader == "auto"
        self.reader = self._chosen() if self._may_switch else reader
        if not self._may_switch and (doubt := self._doubt(reader)):
            raise VideoError(f"{reader} is not known to read {doubt} right; use reader=auto or reader=pyav")
        try:
            self._decoder = self._opened()
        except VideoError as error:
            self._switch(error)

    def _chosen(self) -> ReaderName:
        """Return decord for a small file that it is proven to read right, else PyAV."""
        return "pyav" if decord_hoards(self.timeline) or self._doubt("decord") else "decord"

    def _doubt(self, reader: ReaderName) -> str:
        if reader != "pyav" and self._show.changes(self.timeline):
            return "pictures that are to be changed"
        return _DOUBTS[reader](self.path, self.timeline)

    def _opened(self) -> VideoReader:
        if self.reader == "pyav":
            return PyAVReader(self.path, self.timeline, self._show)
        return _READERS[self.reader](self.path, self.timeline)

    def __len__(self) -> int:
        return len(self.timeline)

    @property
    def note(self) -> str:
        """What is special about the pictures; of interlaced ones it tells once they were decoded."""
        interlaced = isinstance(self._decoder, PyAVReader) and self._decoder.interlaced
        return self._show.note(self.timeline, interlaced=interlaced)

    def frames(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield frames in order, decoding the file once; see `VideoReader.read`.

        An index may repeat; the same array is then yielded again.
        """
        wanted = sorted(set(indices))
        if list(indices) != sorted(indices) or not wanted or wanted[0] < 0 or wanted[-1] >= len(self):
            raise ValueError(f"frame indices must be sorted and within 0..{len(self) - 1}")
        stream = self._decode(wanted)
        position, frame = -1, None
        for index in indices:
            if index != position or frame is None:
                frame, position = next(stream), index
            yield frame

    def _decode(self, indices: Sequence[int]) -> Iterator[Frame]:
        done = 0
        try:
            for frame in self._decoder.read(indices):
                yield frame
                done += 1
        except VideoError as error:
            self._switch(error)
            yield from self._decoder.read(indices[done:])

    def _switch(self, error: VideoError) -> None:
        """Go over to PyAV, which gives the same pixels, or raise `error` where that is not allowed."""
        if not self._may_switch or self.reader == "pyav":
            raise error
        self.reader = "pyav"
        self._decoder = self._opened()
