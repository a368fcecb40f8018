"""What a container says of each frame, read without decoding, and whether it ends before it should."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import av

from zoomvqa.video.container import first_line, packets_of, promised_seconds
from zoomvqa.video.parameters import ParameterWatch


class Packet(NamedTuple):
    """What a packet says of its frame; times in units of the stream's time base."""

    time: int
    duration: int
    is_key: bool
    hidden: bool


def steady_step(stream: Any) -> int:
    """Return how far apart frames are at a stream's guessed rate, in units of its time base, at least 1."""
    return max(1, round(1 / (Fraction(stream.guessed_rate or 25) * Fraction(stream.time_base))))


def read_packets(container: Any, stream: Any, watch: ParameterWatch) -> tuple[list[Packet], bool, str]:
    """Return every packet in storage order, whether each says when it is shown, and why reading ended early."""
    rows, timed, step, cut = list[Packet](), True, steady_step(stream), ""
    try:
        for packet in packets_of(container, stream):
            time = packet.pts if packet.pts is not None else packet.dts
            timed = timed and packet.pts is not None
            if time is None:  # raw streams carry no times at all
                time = len(rows) * step
            if packet.is_corrupt:
                cut = "a corrupt one"
                break
            watch.see(memoryview(packet), packet.is_keyframe)
            rows.append(Packet(time, packet.duration or 0, packet.is_keyframe, packet.is_discard))
    except av.FFmpegError as error:
        cut = first_line(error)
    return rows, timed, cut or _missing_end(container, stream, rows)


def _missing_end(container: Any, stream: Any, rows: list[Packet]) -> str:
    """Say what a file promises beyond the packets in it, or return an empty string."""
    if container.format.name.startswith("mov") and stream.frames > len(rows):
        return f"the data ends, its index lists {stream.frames}"
    told = promised_seconds(container, stream)
    if not told or not rows:
        return ""
    ends = float(max(row.time + row.duration for row in rows) * Fraction(stream.time_base))
    # Some slack: the last frame's duration may be missing, and the note is written from rounded times.
    slack = min(0.5, max(0.1, 3 / float(stream.guessed_rate or 25)))
    return f"the data ends at {ends:.2f} s of {told:.2f} s" if ends < told - slack else ""


def has_open_gop(packets: list[Packet]) -> bool:
    """Return whether some frame shown before a keyframe is stored behind it."""
    keyframe: int | None = None
    for number, packet in enumerate(packets):
        if packet.is_key:
            keyframe = packet.time if number else None
        elif keyframe is not None and packet.time < keyframe:
            return True
    return False
