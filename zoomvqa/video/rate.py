"""Which frames `ffmpeg -r RATE` would write: its constant-frame-rate rule, computed from timestamps."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from zoomvqa.video.timeline import Timeline
from zoomvqa.video.times import nearest

# FFmpeg compares times in units of the output frame with up to 16 extra bits, and moves them half of the last off
# the midpoints between frames.
_EXTRA_BITS, _ALL_BITS = 16, 29
_OFF_MIDPOINTS = 1 / (1 << 17)
# It leaves out a frame that would be repeated more often.
_MOST_REPEATS = 108_000


def frames_at_rate(timeline: Timeline, rate: float) -> list[int]:
    """Return the index of the source frame behind every picture that `ffmpeg -i VIDEO -r RATE` writes.

    The rule is the frame rate conversion of FFmpeg's command-line program. An input frame is written when it
    ends no more than 1.1 output periods before the next output time, repeated when it ends more than 1.1
    periods after it, and dropped otherwise. The slack is why a 29.97 fps video at 2 fps starts 0, 1, 13, 28:
    both frame 0 and frame 1 lie within it. An index occurs more than once when a frame fills a gap. Where two of
    the last three frames came after such a gap, the last one is repeated as often at the end.

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
    gaps = [0, 0, 0]  # how often each frame's predecessor was repeated before it
    due = 0  # number of the next output picture
    for index, time in enumerate(_output_times(timeline, exact_rate)):
        length = _output_length(timeline, index, exact_rate)
        early = time - due
        ends = early + length
        if early < 0 < ends:
            early = 0.0
        if not chosen and timeline.streams == 1 and early >= 0.5:
            # A lone video stream may start late: the output then starts with it instead of repeating it.
            due, early, ends = round(time), 0.0, length
        repeats = _repeats(ends)
        of_previous = _rounded(early - 0.6) if ends > 1.1 and early > 1.1 else 0
        gaps.append(of_previous)
        if repeats <= _MOST_REPEATS:
            chosen += [index - 1 if index and number < of_previous else index for number in range(repeats)]
            due += repeats
    usual_gap = sorted(gaps[-3:])[1]
    return chosen + [len(timeline) - 1] * (usual_gap if usual_gap <= _MOST_REPEATS else 0)


def _repeats(ends: float) -> int:
    if ends < -1.1:
        return 0
    return _rounded(ends) if ends > 1.1 else 1


def _rounded(value: float) -> int:
    return round(float(np.float32(value)))  # FFmpeg rounds in single precision here


def _output_length(timeline: Timeline, index: int, rate: Fraction) -> float:
    """Return how long a frame stays in output periods, in the order of steps in which FFmpeg rounds."""
    base = timeline.time_base.numerator / timeline.time_base.denominator
    return timeline.durations[index] * base / (rate.denominator / rate.numerator)


def _output_times(timeline: Timeline, rate: Fraction) -> list[float]:
    """Return the time of each frame in output periods, rounded as FFmpeg rounds it."""
    steps = 1 << min(max(_ALL_BITS - (rate.numerator.bit_length() - 1), 0), _EXTRA_BITS)
    start = nearest(Fraction(timeline.start, 1_000_000) / timeline.time_base)
    times = []
    for pts in timeline.pts:
        time = nearest((pts - start) * timeline.time_base * rate * steps) / steps
        if time != round(time):  # so that rounding never depends on the last bit
            time += math.copysign(_OFF_MIDPOINTS, time)
        times.append(time)
    return times
