"""When decoded frames are shown, as FFmpeg's command-line program takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Decoded(NamedTuple):
    """What a decoder says of a frame, in units of the stream's time base.

    Attributes:
        pts: when it is shown; None where the container does not say. PyAV makes up one unless `gen_pts` is taken
            out of `container.flags` before the first packet is read.
        dts: the time of decoding of the packet that made the decoder give the frame out; None for the last ones.
        duration: how long it stays; 0 where the container does not say.
    """

    pts: int | None
    dts: int | None
    duration: int


@dataclass(frozen=True)
class Usual:
    """What fills in for missing times of a stream.

    Attributes:
        time_base: seconds a unit.
        guessed_rate: frames a second that FFmpeg guesses from container and codec; 0 where it has no guess.
        codec_rate: frames a second that the codec's header states; 0 where it states none.
        timed: whether the container format has times at all; raw streams have none.
    """

    time_base: Fraction
    guessed_rate: Fraction
    codec_rate: Fraction = Fraction(0)
    timed: bool = True

    def units(self, rate: Fraction) -> int:
        """Return how long a frame stays at a rate, 0 where that is 0."""
        return nearest(1 / (rate * self.time_base)) if rate > 0 else 0


def shown_times(frames: Iterable[Decoded], usual: Usual, start: int = 0) -> tuple[list[int], list[int]]:
    """Return pts and duration of each frame, in the order of decoding, as `ffmpeg -r` counts with them.

    A frame's pts counts, until more of them than of the dts failed to increase. Without either a frame follows the
    one before it; in raw streams, too, for which FFmpeg's libraries before 9 make times up. A missing duration is
    one frame at the guessed rate.

    Args:
        frames: in the order in which the decoder gives them out.
        usual: of their stream.
        start: the time that counts as 0, in units: that of a first frame without a time.
    """
    guess, follow = _Guess(), _Follow(usual, start)
    pts, durations = [], []
    for frame in frames:
        pts.append(follow(guess(frame) if usual.timed else None, frame.duration))
        durations.append(frame.duration or usual.units(usual.guessed_rate))
    return pts, durations


class _Guess:
    """Chooses between a frame's pts and dts."""

    def __init__(self) -> None:
        self._last_pts: int | None = None
        self._last_dts: int | None = None
        self._wrong_pts = self._wrong_dts = 0

    def __call__(self, frame: Decoded) -> int | None:
        pts, dts = frame.pts, frame.dts
        if dts is not None:
            self._wrong_dts += self._last_dts is not None and dts <= self._last_dts
        if pts is not None:
            self._wrong_pts += self._last_pts is not None and pts <= self._last_pts
        self._last_dts = self._last_dts if dts is None and pts is None else (pts if dts is None else dts)
        self._last_pts = self._last_pts if dts is None and pts is None else (dts if pts is None else pts)
        if pts is not None and (self._wrong_pts <= self._wrong_dts or dts is None):
            return pts
        return dts


class _Follow:
    """Gives frames without a time one that follows from those before."""

    def __init__(self, usual: Usual, start: int) -> None:
        self._usual, self._start = usual, start
        self._last: int | None = None
        self._length = 0

    def __call__(self, time: int | None, duration: int) -> int:
        if time is None:
            time = self._start if self._last is None else self._last + self._length
        self._length = self._estimate(time, duration)
        self._last = time
        return time

    def _estimate(self, time: int, duration: int) -> int:
        """Return how long a frame stays; the order of what is trusted is FFmpeg's."""
        apart = time - self._last if self._last is not None else -1
        made_up = duration == 1 and apart > 2
        if duration > 0 and self._usual.timed and not made_up:
            return duration
        of_codec = self._usual.units(self._usual.codec_rate)
        if of_codec and not self._usual.timed:
            return of_codec
        for length in (apart, duration, of_codec, self._usual.units(self._usual.guessed_rate)):
            if length > 0:
                return length
        return max(self._length, 1)


def start_in_use(container_start: int, stream_start: int | None, time_base: Fraction, *, restarts: bool) -> int:
    """Return the time that ffmpeg counts as 0, in microseconds, where only the video of a file is used.

    Args:
        container_start: the container's start time in microseconds: that of its first stream.
        stream_start: the video's own start time in units of `time_base`; None where it is not known.
        time_base: seconds a unit.
        restarts: whether times may start again in this container format (`Flags.ts_discont`): MPEG-TS, MPEG-PS,
            Ogg. In these ffmpeg leaves streams that are not used out of account, in others not.
    """
    if not restarts or stream_start is None:
        return container_start
    return max(container_start, nearest(stream_start * time_base * 1_000_000))


def nearest(value: Fraction) -> int:
    """Round to the nearest integer, halves away from zero, as FFmpeg does."""
    return int(value + Fraction(1, 2)) if value >= 0 else -int(-value + Fraction(1, 2))
