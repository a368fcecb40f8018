"""Which frames `ffmpeg -r RATE` would write: its constant-frame-rate rule, computed from timestamps."""

from __future__ import annotations

import math
from fractions import Fraction

from zoomvqa.video.timeline import Timeline

# FFmpeg compares times in units of the output frame with 16 extra bits.
_STEPS = 1 << 16


def frames_at_rate(timeline: Timeline, rate: float) -> list[int]:
    """Return the index of the source frame behind every picture that `ffmpeg -i VIDEO -r RATE` writes.

    The rule is the frame rate conversion of FFmpeg's command-line program. An input frame is written when it
    ends no more than 1.1 output periods before the next output time, repeated when it ends more than 1.1
    periods after it, and dropped otherwise. The slack is why a 29.97 fps video at 2 fps starts 0, 1, 13, 28:
    both frame 0 and frame 1 lie within it. An index occurs more than once when a frame fills a gap.

    Args:
        timeline: the video's timestamps.
        rate: pictures a second, above 0.

    Returns:
        Indices into the timeline, never decreasing, at least one.

    Raises:
        ValueError: `rate` is not above 0.
    """
    if rate <= 0:
        raise ValueError(f"rate must be above 0, got {rate}")
    exact_rate = Fraction(rate).limit_denominator(100_000)
    chosen: list[int] = []
    due = 0  # number of the next output picture
    for index, duration in enumerate(timeline.durations):
        time = _output_time(timeline, index, exact_rate)
        length = float(duration * timeline.time_base * exact_rate)
        early = time - due
        ends = early + length
        if early < 0 < ends:
            early, ends = 0.0, length + early
        if not chosen and timeline.streams == 1 and early >= 0.5:
            # A lone video stream may start late: the output then starts with it instead of repeating it.
            due, early, ends = round(time), 0.0, length
        repeats = _repeats(ends)
        of_previous = round(early - 0.6) if ends > 1.1 and early > 1.1 and index else 0
        chosen += [index - 1 if number < of_previous else index for number in range(repeats)]
        due += repeats
    return chosen


def _repeats(ends: float) -> int:
    if ends < -1.1:
        return 0
    return round(ends) if ends > 1.1 else 1


def _output_time(timeline: Timeline, index: int, rate: Fraction) -> float:
    """Return the time of a frame in output periods, rounded as FFmpeg rounds it."""
    scale = rate * _STEPS
    start = _round_half_up(Fraction(timeline.start, 1_000_000) * scale)
    time = (_round_half_up(timeline.pts[index] * timeline.time_base * scale) - start) / _STEPS
    if time != round(time):  # moved off the midpoints, so that rounding never depends on the last bit
        time += math.copysign(0.5 / _STEPS, time)
    return time


def _round_half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2)) if value >= 0 else math.ceil(value - Fraction(1, 2))
