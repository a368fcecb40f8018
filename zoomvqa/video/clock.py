"""What an opened file tells about its times: where ffmpeg begins to count, and what fills in for missing ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from av.container import Flags
from av.format import Flags as FormatFlags

from zoomvqa.video.discontinuity import Continuous, Stored
from zoomvqa.video.times import Usual, nearest, start_in_use

# How many packets before a join one may be marked as corrupt.
_BEFORE_JOIN = 3


def take_times_as_stored(container: Any) -> None:
    """Keep PyAV from making up presentation times where a file has none; before the first packet is read.

    It would take the next packet's time of decoding, and AVI would be shown up to some frames late.
    """
    container.flags &= ~Flags.gen_pts.value


def usual_of(container: Any, stream: Any) -> Usual:
    """Return what fills in for missing times of a stream."""
    return Usual(
        Fraction(stream.time_base),
        guessed_rate=Fraction(stream.guessed_rate or 0),
        codec_rate=Fraction(stream.codec_context.framerate or 0),
        timed=not container.format.flags & FormatFlags.no_timestamps.value,
    )


def may_restart(container: Any) -> bool:
    """Return whether times may start again in this container format: MPEG-TS, MPEG-PS, Ogg."""
    return bool(container.format.flags & FormatFlags.ts_discont.value)


def start_of(container: Any, stream: Any) -> int:
    """Return the time that ffmpeg counts as 0, in microseconds, where it only uses this stream."""
    base, restarts = Fraction(stream.time_base), may_restart(container)
    return start_in_use(container.start_time or 0, stream.start_time, base, restarts=restarts)


def start_units(container: Any, stream: Any) -> int:
    """Return the same in units of the stream's time base, rounded as ffmpeg does before it subtracts it."""
    return nearest(Fraction(start_of(container, stream), 1_000_000) / Fraction(stream.time_base))


def made_continuous(container: Any, stream: Any, packets: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """Yield packets with continuous times, and by how much those of each were moved."""
    if not may_restart(container):
        yield from ((packet, 0) for packet in packets)
        return
    usual = usual_of(container, stream)
    moved_by = Continuous(usual.time_base, start_units(container, stream), usual.codec_rate)
    for packet in packets:
        dts, pts = packet.dts, packet.pts
        by = moved_by(Stored(dts, pts, packet.duration or 0))
        packet.dts = None if dts is None else dts + by
        packet.pts = None if pts is None else pts + by
        yield packet, by


class Marks:
    """The packets that a container marked as corrupt, in storage order, and where its times started again.

    Where recordings were joined, MPEG-TS marks one of the last packets before the join, for its counters jump;
    nothing is wrong with it.
    """

    def __init__(self) -> None:
        self._corrupt = dict[int, int | None]()
        self._joins = set[int]()
        self._moved = self._count = 0

    def see(self, packet: Any, moved: int) -> None:
        """Take note of the next packet, and by how much its times were moved."""
        if moved != self._moved:
            self._joins.add(self._count)
            self._moved = moved
        if packet.is_corrupt:
            self._corrupt[self._count] = packet.pts if packet.pts is not None else packet.dts
        self._count += 1

    def damaged(self) -> dict[int, int | None]:
        """Return the numbers of the packets that are marked and not at a join, and their times."""
        near = {join - back for join in self._joins for back in range(1, _BEFORE_JOIN + 1)}
        return {number: time for number, time in self._corrupt.items() if number not in near}
