"""When each frame of a video is shown, read from the container without decoding a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.container import first_line, main_video, moving_streams, open_container
from zoomvqa.video.packets import has_open_gop, read_packets
from zoomvqa.video.parameters import ParameterWatch

# Seconds that a frame may stay; frames are chosen by their times, and a damaged time would choose one for ever.
_LONGEST = 3600


@dataclass(frozen=True)
class Timeline:
    """The frames of a video stream in the order they are shown.

    Attributes:
        pts: presentation time of each frame, in units of `time_base`.
        durations: how long the container says each frame stays, same units; 0 where it does not say.
        time_base: seconds per unit.
        start: the container's start time in microseconds (the first stream's, so audio may precede video).
        streams: number of streams in the container, audio and data included.
        width: coded width in pixels.
        height: coded height in pixels.
        container: FFmpeg's names of the container format, comma-separated.
        codec: FFmpeg's name of the video codec.
        open_gop: whether some frame shown before a keyframe is stored behind it (random access is unsafe).
        hidden: number of stored frames that an edit list says not to show.
        videos: number of video streams in the container, cover pictures not counted.
        timed: whether the container says of each frame when it is shown.
        varies: whether the pictures may change their size on the way.
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


def read_timeline(path: Path) -> Timeline:
    """Read the timeline of the video stream of `path` that `zoomvqa.video.container.main_video` chooses.

    Raises:
        DamagedError: it is a video, but ends before its index says, or a part of it is damaged.
        VideoError: the file is missing, empty, unreadable or holds no video.
    """
    try:
        if not path.exists():
            raise VideoError(f"no such file: {path}")
        if not path.is_file():
            raise VideoError(f"not a file: {path}")
        if path.stat().st_size == 0:
            raise VideoError("the file is empty (0 bytes)")
        with open_container(path) as container:
            return _read(container)
    except PermissionError:
        raise VideoError("the file may not be read (permission denied)") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"not a readable video: {first_line(error)}") from None


def _read(container: Any) -> Timeline:
    stream = main_video(container)
    watch = ParameterWatch(stream.codec_context.name, stream.codec_context.extradata or b"")
    packets, timed, cut = read_packets(container, stream, watch)
    if cut:
        raise DamagedError(f"the file is damaged or cut short: {len(packets)} frames before {cut}")
    if not packets:
        raise VideoError("there is no frame in its video stream")
    shown = sorted((p for p in packets if not p.hidden), key=lambda p: p.time)
    if not shown:
        raise VideoError("an edit list hides all of its frames")
    pts, durations = [p.time for p in shown], [p.duration for p in shown]
    if has_gap(container, stream, pts, durations):
        raise DamagedError("the file is damaged: its times say that a frame stays for more than an hour")
    line = timeline_of(container, stream, pts, durations)
    hidden = len(packets) - len(shown)
    return replace(line, open_gop=has_open_gop(packets), hidden=hidden, timed=timed, varies=watch.changed)


def timeline_of(container: Any, stream: Any, pts: Iterable[int], durations: Iterable[int]) -> Timeline:
    """Return the timeline of some frames of an open container's stream, sorted, in units of its time base."""
    return Timeline(
        pts=tuple(pts),
        durations=tuple(durations),
        time_base=Fraction(stream.time_base),
        start=container.start_time or 0,
        streams=len(container.streams),
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        container=container.format.name,
        codec=stream.codec_context.name,
        open_gop=False,
        hidden=0,
        videos=len(moving_streams(container)),
    )


def has_gap(container: Any, stream: Any, pts: Sequence[int], durations: Sequence[int]) -> bool:
    """Return whether a frame stays for more than an hour, or comes an hour after the container's start."""
    base = Fraction(stream.time_base)
    longest = max([*durations, *(after - before for before, after in pairwise(pts))])
    late = pts[0] * base - Fraction(container.start_time or 0, 1_000_000)
    return max(longest * base, late) > _LONGEST
