"""Pictures from decoded frames: upright, RGB, pixel for pixel as the ffmpeg program converts them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.container import first_line
from zoomvqa.video.filters import filter_graph
from zoomvqa.video.headers import NO_CROP, Crop

# How far, relative to the picture, an axis may lean and still count as upright: ffmpeg allows a degree.
_LEAN = math.sin(math.radians(1.0))


# What makes FFmpeg's scaler convert brightness and primaries, too, with its tone mapping.
_TO_SDR = ":out_primaries=bt709:out_transfer=bt709:intent=perceptual"


class Turn(NamedTuple):
    """How a stored picture becomes upright: exchange rows and columns, then mirror.

    Attributes:
        transpose: rows become columns.
        mirror: left and right are exchanged after that.
        flip: top and bottom are exchanged after that.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False


UPRIGHT = Turn()


def _unnamed(cls: type[SideData], value: int) -> SideData:
    """Return a member for a kind of side data that PyAV has no name for, such as Exif or a view's number."""
    member: SideData = object.__new__(cls)
    vars(member).update(_name_=f"UNNAMED_{value}", _value_=value)
    return member


# PyAV lists all side data of a frame at once, and fails at a kind that it has no name for.
SideData._missing_ = classmethod(_unnamed)  # type: ignore[assignment, method-assign]


def turn_of(frame: Any) -> Turn:
    """Return how a decoded frame is to be turned, after its display matrix.

    Raises:
        VideoError: by an angle that is no multiple of 90 degrees.
    """
    # frame.side_data would stay with the frame and hold it in turn: both would be kept until Python looks for such
    # rings, which for large frames are gigabytes.
    beside: Any = SideDataContainer(frame)  # type: ignore[call-arg]
    found = beside.get(SideData.DISPLAYMATRIX)
    if found is None:
        return UPRIGHT
    # Columns of 16.16 numbers: x' = a x + c y, y' = b x + d y.
    a, b, _, c, d = (float(number) for number in np.frombuffer(bytes(found), np.int32)[:5])
    size = max(map(abs, (a, b, c, d)))
    if max(abs(b), abs(c)) <= _LEAN * size:
        return Turn(False, a < 0, d < 0)  # noqa: FBT003
    if max(abs(a), abs(d)) <= _LEAN * size:
        return Turn(True, c < 0, b < 0)  # noqa: FBT003
    angle = math.degrees(math.atan2(-b, a))
    raise VideoError(f"its pictures are turned by {angle:.0f} degrees; multiples of 90 are read")


class Pictures:
    """Makes arrays of decoded frames.

    FFmpeg's filters do it, set up as the ffmpeg program sets them up: turned first, colours last. PyAV's own
    conversion differs for 10-bit and interlaced pictures, by 3 to 7 levels where colours have sharp edges.

    Args:
        crop: what the container says is not shown of the coded picture.
        width: that pictures get after that, before they are turned; None leaves it.
        tonemap: bring HDR to the brightness and colours of BT.709.
    """

    def __init__(self, crop: Crop = NO_CROP, width: int | None = None, *, tonemap: bool = False) -> None:
        left, top, right, bottom = crop
        self._before = [("crop", f"iw-{left}-{right}:ih-{top}-{bottom}:{left}:{top}")] if any(crop) else []
        self._before += [("scale", f"{width}:ih:flags=bicubic")] if width else []
        self._scale = f"flags=bicubic{_TO_SDR if tonemap else ''}"
        self._key: tuple[Any, ...] = ()
        self._graph: Any = None

    def __call__(self, frame: Any) -> NDArray[np.uint8]:
        """Return (height, width, 3) uint8 RGB.

        Raises:
            VideoError: see `turn_of`; or its colours are coded in a way that FFmpeg does not convert.
        """
        turn = turn_of(frame)
        key = (frame.width, frame.height, frame.format.name, int(frame.colorspace), int(frame.color_range), turn)
        try:
            if key != self._key:  # at the start, and where a stream changes midway
                steps = [*self._before, *_turning(turn), ("scale", self._scale), ("format", "pix_fmts=rgb24")]
                self._key, self._graph = key, filter_graph(frame, steps)
            self._graph.push(frame)
            return np.asarray(self._graph.pull().to_ndarray(), dtype=np.uint8)
        except (av.FFmpegError, ValueError) as error:
            coded = f"{frame.format.name}, colour matrix {int(frame.colorspace)} of ITU-T H.273"
            raise VideoError(f"FFmpeg does not convert its pictures ({coded}): {first_line(error)}") from None


def _turning(turn: Turn) -> list[tuple[str, str]]:
    steps = [("transpose", "dir=cclock_flip")] * turn.transpose  # which is the plain exchange of rows and columns
    return [*steps, *[("hflip", "")] * turn.mirror, *[("vflip", "")] * turn.flip]
