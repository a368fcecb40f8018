"""What a container says of each frame, read without decoding, and whether it ends before it should."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import av

from zoomvqa.video.clock import Marks, made_continuous
from zoomvqa.video.container import first_line, packets_of, promised_end
from zoomvqa.video.headers import TrackHeader
from zoomvqa.video.parameters import ParameterWatch
from zoomvqa.video.units import picture_test

# Codecs of which each packet shows exactly one frame. Of those that predict from other frames that holds where the
# first packet is a keyframe, and times tell in which order frames are shown. Of all others frames are counted
# by decoding: MPEG-4 has frames that are not coded, animations leave out what does not change.
_EACH_ALONE = frozenset({"mjpeg", "prores", "dnxhd", "ffv1", "ffvhuff", "huffyuv", "utvideo", "rawvideo", "v210",
                         "png", "jpeg2000"})  # fmt: skip
_PREDICTED = frozenset({"h264", "hevc", "av1", "libdav1d", "vp8", "libvpx", "vp9", "libvpx-vp9"})


class Packet(NamedTuple):
    """What a packet says of its frame; times in units of the stream's time base."""

    time: int
    duration: int
    is_key: bool
    hidden: bool


@dataclass
class Packets:
    """The packets of a video stream.

    Attributes:
        rows: of each, in storage order.
        timed: whether each says when its frame is shown.
        varies: whether the coding parameters change on the way.
        shows_all: whether each packet that is not hidden shows one frame, so that frames need not be counted.
        cut: why reading ended early; empty where it did not.
    """

    rows: list[Packet] = field(default_factory=list)
    timed: bool = True
    varies: bool = False
    shows_all: bool = True
    cut: str = ""


def steady_step(stream: Any) -> int:
    """Return how far apart frames are at a stream's guessed rate, in units of its time base, at least 1."""
    return max(1, round(1 / (Fraction(stream.guessed_rate or 25) * Fraction(stream.time_base))))


def read_packets(container: Any, stream: Any, header: TrackHeader) -> Packets:
    """Read what every packet of a stream says, in storage order."""
    codec, step = stream.codec_context.name, steady_step(stream)
    watch = ParameterWatch(codec, stream.codec_context.extradata or b"")
    found = Packets(shows_all=codec in _EACH_ALONE or codec in _PREDICTED)
    shows = _SHOWS.get(codec) or picture_test(codec, stream.codec_context.extradata or b"")
    marks = Marks()
    try:
        for packet, moved in made_continuous(container, stream, packets_of(container, stream)):
            found.shows_all = found.shows_all and not moved
            time = packet.pts if packet.pts is not None else packet.dts
            found.timed = found.timed and packet.pts is not None
            if time is None:  # raw streams carry no times at all
                time = len(found.rows) * step
            marks.see(packet, moved)
            data = memoryview(packet)
            watch.see(data, packet.is_keyframe)
            found.shows_all = found.shows_all and shows(data)
            found.rows.append(Packet(time, packet.duration or 0, packet.is_keyframe, packet.is_discard))
    except av.FFmpegError as error:
        found.cut = first_line(error)
    if damaged := marks.damaged():
        found.cut, found.rows = "a corrupt one", found.rows[: min(damaged)]
    found.varies = watch.changed
    if codec in _PREDICTED:
        reorders = bool(stream.codec_context.reorder_depth)
        ordered = found.timed and _increases(found.rows) and _tells_order(found.rows, reorders=reorders)
        found.shows_all = found.shows_all and ordered and _begins_plainly(found.rows)
    found.cut = found.cut or _missing_end(container, stream, found.rows, header)
    return found


def _vp8_is_shown(data: memoryview) -> bool:
    """Tell whether a VP8 frame is shown (RFC 6386, 9.1)."""
    return bool(data[0] >> 4 & 1)


def _vp9_is_shown(data: memoryview) -> bool:
    """Tell whether a VP9 frame is shown; a superframe, whose last byte tells it, holds one that is."""
    if data[-1] & 0xE0 == 0xC0:
        return True
    first = data[0] << 8 | (data[1] if len(data) > 1 else 0)
    reserved = first >> 12 & 3 == 3  # profile 3 is followed by a bit more
    repeats, shown = (first >> (11 - reserved) & 1), (first >> (9 - reserved) & 1)
    return bool(repeats or shown)


_SHOWS = {"vp8": _vp8_is_shown, "libvpx": _vp8_is_shown, "vp9": _vp9_is_shown, "libvpx-vp9": _vp9_is_shown}


def _begins_plainly(rows: list[Packet]) -> bool:
    """Tell whether the first packet is a keyframe and, up to the next one, nothing is shown before it.

    Decoders leave out pictures that need what came before the first keyframe.
    """
    if not rows:
        return True
    first, *rest = rows
    if not first.is_key:
        return False
    for row in rest:
        if row.is_key:
            return True
        if row.time < first.time:
            return False
    return True


def _increases(rows: list[Packet]) -> bool:
    """Tell whether no two frames have one time."""
    times = [row.time for row in rows if not row.hidden]
    return len(set(times)) == len(times)


def _tells_order(rows: list[Packet], *, reorders: bool) -> bool:
    """Tell whether times are those of showing: some files have those of decoding in their place."""
    in_order = all(before.time <= after.time for before, after in pairwise(rows))
    return not (reorders and in_order and len(rows) > 1)


def _missing_end(container: Any, stream: Any, rows: list[Packet], header: TrackHeader) -> str:
    """Say what a file promises beyond the packets in it, or return an empty string."""
    if container.format.name.startswith("mov") and stream.frames and len(stream.index_entries) > len(rows):
        return f"the data ends, its index lists {len(stream.index_entries)}"
    if not rows:
        return ""
    ends = float(max(row.time + row.duration for row in rows) * Fraction(stream.time_base))
    promised = promised_end(container, stream, header, ends)
    is_short = ends < promised.end - promised.slack
    return f"the data ends at {ends:.2f} s of {promised.end:.2f} s" if is_short else ""


def has_open_gop(packets: list[Packet]) -> bool:
    """Return whether some frame shown before a keyframe is stored behind it."""
    keyframe: int | None = None
    for number, packet in enumerate(packets):
        if packet.is_key:
            keyframe = packet.time if number else None
        elif keyframe is not None and packet.time < keyframe:
            return True
    return False
