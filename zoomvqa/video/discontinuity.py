"""Times that start again within a file, as where recordings were joined, made continuous as ffmpeg does it."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from zoomvqa.video.times import nearest

_MICROSECONDS = 1_000_000
# In microseconds: a jump of decoding times beyond the first, or back by more than the second, is a new start.
_LONGEST_JUMP, _LONGEST_STEP_BACK = 10 * _MICROSECONDS, _MICROSECONDS // 10


class Stored(NamedTuple):
    """The times of a packet, in units of its stream's time base; None where the container does not say."""

    dts: int | None
    pts: int | None
    duration: int


class Continuous:
    """Says by how much the times of each packet of a video are to be moved, taken in storage order.

    It is for container formats whose times may start again (`Flags.ts_discont` in `container.format.flags`:
    MPEG-TS, MPEG-PS, Ogg); of others ffmpeg takes the times as they are. A packet after a new start is decoded
    where the one before it ended.

    Args:
        time_base: seconds a unit.
        start: the time that counts as 0, in units.
        codec_rate: frames a second that the codec's header states, for packets without a duration; 0 where none.
    """

    def __init__(self, time_base: Fraction, start: int = 0, codec_rate: Fraction = Fraction(0)) -> None:
        self._base, self._start = time_base, start
        self._usual = nearest(_MICROSECONDS / codec_rate) if codec_rate > 0 else 0
        self._moved = 0  # these three in microseconds
        self._decoded: int | None = None
        self._next: int | None = None

    def __call__(self, packet: Stored) -> int:
        """Return what is to be added to dts and pts of the next packet, in units."""
        by = self._units(self._moved)
        dts = None if packet.dts is None else self._microseconds(packet.dts - self._start + by)
        if dts is not None and self._next is not None and self._decoded is not None:
            jump = dts - self._next
            if abs(jump) > _LONGEST_JUMP or dts + _LONGEST_STEP_BACK < self._decoded:
                self._moved -= jump
                by -= self._units(jump)
                dts = self._microseconds((packet.dts or 0) - self._start + by)
        self._advance(packet, dts, by)
        return by

    def _advance(self, packet: Stored, dts: int | None, by: int) -> None:
        if dts is None and self._next is None:
            dts = 0 if packet.pts is None else self._microseconds(packet.pts - self._start + by)
        self._decoded = self._next if dts is None else dts
        length = self._microseconds(packet.duration) if packet.duration else self._usual
        self._next = (self._decoded or 0) + length

    def _microseconds(self, units: int) -> int:
        return nearest(units * self._base * _MICROSECONDS)

    def _units(self, microseconds: int) -> int:
        return nearest(Fraction(microseconds, _MICROSECONDS) / self._base)
