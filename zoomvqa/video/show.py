"""How HDR, non-square pixels and interlaced frames are shown to the networks, and what a user is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from zoomvqa.video.filters import filter_graph
from zoomvqa.video.timeline import Timeline

HDR = Literal["as_is", "tonemap"]
PixelShape = Literal["as_is", "square"]
Interlaced = Literal["as_is", "deinterlace"]
# Transfer characteristics of ITU-T H.273 that are HDR.
_HDR = {16: "PQ", 18: "HLG"}
# Pixels that are said to be more stretched than this are a mistake of the file's.
_MOST_STRETCHED = 8
_BWDIF = ("bwdif", "mode=send_frame:parity=auto:deint=interlaced")


@dataclass(frozen=True)
class Show:
    """What is done to pictures before a network sees them; by default nothing.

    Attributes:
        hdr: `tonemap` brings PQ and HLG to the brightness and colours of BT.709, as FFmpeg's scaler does it with
            perceptual intent; `as_is` takes the coded values for those of an ordinary video.
        pixels: `square` changes the width, so that pixels have the shape that the file says; bicubic.
        interlaced: `deinterlace` replaces the second field of frames that are marked as interlaced (FFmpeg's
            `bwdif`, one picture a frame); `as_is` shows both fields together.
    """

    hdr: HDR = "as_is"
    pixels: PixelShape = "as_is"
    interlaced: Interlaced = "as_is"

    def width(self, line: Timeline) -> int | None:
        """Return the width that the coded pictures get, before they are turned; None where it stays."""
        if self.pixels == "as_is" or not _stretched(line):
            return None
        return max(1, round(line.width * line.aspect))

    def tone_maps(self, line: Timeline) -> bool:
        """Whether pictures are tone mapped."""
        return self.hdr == "tonemap" and line.colours.transfer in _HDR

    @property
    def deinterlaces(self) -> bool:
        """Whether frames that are marked as interlaced are deinterlaced; only decoding tells if there are any."""
        return self.interlaced == "deinterlace"

    def changes(self, line: Timeline) -> bool:
        """Whether anything may be done to the pictures of this video."""
        return self.tone_maps(line) or self.deinterlaces or self.width(line) is not None

    def note(self, line: Timeline, *, interlaced: bool) -> str:
        """Return what is special about a video's pictures, and what was done about it; empty where nothing is.

        Args:
            line: of the video.
            interlaced: whether frames of it that were decoded are marked as interlaced.
        """
        told = []
        if kind := _HDR.get(line.colours.transfer):
            told.append(f"HDR ({kind}), {'' if self.tone_maps(line) else 'not '}tone mapped")
        if _stretched(line):
            shape = f"{line.aspect.numerator}:{line.aspect.denominator}"
            told.append(f"pixels {shape}, {'not ' if self.pixels == 'as_is' else ''}made square")
        if interlaced:
            told.append(f"interlaced, {'' if self.deinterlaces else 'not '}deinterlaced")
        return "; ".join(told)


AS_IS = Show()


def _stretched(line: Timeline) -> bool:
    return line.aspect != 1 and Fraction(1, _MOST_STRETCHED) <= line.aspect <= _MOST_STRETCHED


def deinterlaced(frames: Iterator[Any]) -> Iterator[Any]:
    """Yield a progressive frame for each frame; those that are not marked as interlaced come as they are.

    The filter looks at the frames before and after one, so that it needs all of them, in order.
    """
    graph: Any = None
    key: tuple[int, int, str] | None = None
    for frame in frames:
        now = (frame.width, frame.height, frame.format.name)
        if now != key:
            yield from _rest(graph)
            graph, key = filter_graph(frame, [_BWDIF]), now
        graph.push(frame)
        yield from _ready(graph)
    yield from _rest(graph)


def _rest(graph: Any) -> Iterator[Any]:
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _ready(graph: Any) -> Iterator[Any]:
    """Yield the frames that a graph has ready."""
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        yield frame
