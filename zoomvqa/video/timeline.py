"""When each frame of a video is shown, and what its pictures are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from zoomvqa.video.headers import NO_CROP, Crop

_SQUARE = Fraction(1)


class Colours(NamedTuple):
    """Code points of ITU-T H.273; 2 says that the file does not tell.

    Attributes:
        matrix: from RGB to luma and colour differences.
        transfer: from light to values: 16 is PQ, 18 is HLG.
    """

    matrix: int = 2
    transfer: int = 2


_UNTOLD = Colours()


@dataclass(frozen=True)
class Timeline:
    """The frames of a video stream in the order they are shown.

    Attributes:
        pts: presentation time of each frame, in units of `time_base`.
        durations: how long the container says each frame stays, same units; 0 where it does not say.
        time_base: seconds per unit.
        start: the container's start time in microseconds (the first stream's, so audio may precede video).
        streams: number of streams in the container, audio and data included.
        width: width in pixels as coded, less what is cropped, 0 where it is not known.
        height: likewise.
        container: FFmpeg's names of the container format, comma-separated.
        codec: FFmpeg's name of the video codec.
        open_gop: whether some frame shown before a keyframe is stored behind it (random access is unsafe).
        hidden: number of stored frames that an edit list says not to show.
        videos: number of video streams in the container, cover pictures not counted.
        timed: whether the container says of each frame when it is shown.
        varies: whether the pictures may change their size on the way.
        counted: whether frames were counted by decoding, as packets are not frames in this file.
        crop: what the container says is not shown of the coded picture.
        pixels: FFmpeg's name of the pixel format, such as `yuv420p`.
        colours: how they are coded, see `Colours`.
        aspect: width of a pixel over its height, as the file says.
    """

    pts: tuple[int, ...]
    durations: tuple[int, ...]
    time_base: Fraction
    start: int
    streams: int
    width: int
    height: int
    container: str
    codec: str
    open_gop: bool
    hidden: int
    videos: int = 1
    timed: bool = True
    varies: bool = False
    counted: bool = False
    crop: Crop = NO_CROP
    pixels: str = ""
    colours: Colours = _UNTOLD
    aspect: Fraction = _SQUARE

    def __len__(self) -> int:
        return len(self.pts)

    def seconds(self, index: int) -> float:
        """Return when frame `index` is shown, in seconds from the container's start."""
        return float(self.pts[index] * self.time_base - Fraction(self.start, 1_000_000))

    def at(self, pts: Iterable[int], durations: Iterable[int]) -> Timeline:
        """Return the same with other times, in units of `time_base`."""
        return replace(self, pts=tuple(map(int, pts)), durations=tuple(map(int, durations)))


def steady_timeline(count: int, rate: float, width: int, height: int, container: str) -> Timeline:
    """Return the timeline of `count` frames, `rate` a second, that come from no video file."""
    return Timeline(
        pts=tuple(range(count)),
        durations=(1,) * count,
        time_base=1 / Fraction(rate).limit_denominator(100_000),
        start=0,
        streams=1,
        width=width,
        height=height,
        container=container,
        codec="",
        open_gop=False,
        hidden=0,
    )
