"""When each frame of a file is shown: told by its packets where each shows a frame, else found by decoding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.clock import start_of, usual_of
from zoomvqa.video.container import first_line, header_of, main_video, moving_streams, open_container
from zoomvqa.video.counting import count_frames
from zoomvqa.video.headers import Crop
from zoomvqa.video.packets import Packets, has_open_gop, read_packets
from zoomvqa.video.timeline import Colours, Timeline

# Frames a second, where a file's own rate is damaged, too.
_USUAL_RATE = 25
# Seconds that a frame may stay; frames are chosen by their times, and a damaged time would choose one for ever.
_LONGEST = 3600
# Files of which the counted times are remembered.
_REMEMBERED = 256


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
            stream = main_video(container)
            header = header_of(container, stream)
            if header.encrypted:
                raise VideoError("its video is encrypted")
            packets = read_packets(container, stream, header)
            line = replace(
                _of_packets(container, stream, packets), varies=packets.varies or header.descriptions > 1
            )
        if not packets.shows_all:
            about = path.stat()
            times = _counted_times(path, (about.st_size, about.st_mtime_ns))
            line = replace(
                line,
                pts=times.pts,
                durations=times.durations,
                time_base=times.time_base,
                start=times.start,
                counted=True,
            )
        return cropped(line, header.crop)
    except PermissionError:
        raise VideoError("the file may not be read (permission denied)") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"not a readable video: {first_line(error)}") from None


def _of_packets(container: Any, stream: Any, found: Packets) -> Timeline:
    """Return the timeline that packets tell, where each shows a frame."""
    if found.cut:
        raise DamagedError(f"the file is damaged or cut short: {len(found.rows)} frames before {found.cut}")
    if not found.rows:
        raise VideoError("there is no frame in its video stream")
    shown = sorted((p for p in found.rows if not p.hidden), key=lambda p: p.time)
    if not shown:
        raise VideoError("an edit list hides all of its frames")
    pts, durations = [p.time for p in shown], [p.duration for p in shown]
    if has_gap(container, stream, pts, durations):
        raise DamagedError("the file is damaged: its times say that a frame stays for more than an hour")
    line = timeline_of(container, stream, pts, durations)
    hidden = len(found.rows) - len(shown)
    return replace(line, open_gop=has_open_gop(found.rows), hidden=hidden, timed=found.timed)


@lru_cache(_REMEMBERED)
def _counted_times(path: Path, _state: tuple[int, int]) -> Timeline:
    """Return the times of the frames that a decoder gives out; training opens a file again and again.

    Raises:
        DamagedError: something in the file does not decode.
        VideoError: nothing does.
    """
    with open_container(path) as container:
        stream = main_video(container)
        count = count_frames(container, stream)
        if not count.whole:
            raise DamagedError(f"the file is damaged: {sum(count.sound)} sound frames of {count.stored.packets}")
        if not count.times:
            raise VideoError("no frame of it decodes")
        return timeline_of_times(container, stream, count.times)


def cropped(line: Timeline, crop: Crop) -> Timeline:
    """Return the timeline of pictures that the container crops."""
    width, height = line.width - crop.left - crop.right, line.height - crop.top - crop.bottom
    return replace(line, crop=crop, width=max(0, width), height=max(0, height))


def timeline_of_times(container: Any, stream: Any, times: Sequence[tuple[int, int]]) -> Timeline:
    """Return the timeline of frames of which decoding gave (pts, duration); an even one of impossible times."""
    pts, durations = [time for time, _ in times], [duration for _, duration in times]
    if not has_gap(container, stream, pts, durations):
        return timeline_of(container, stream, pts, durations)
    rate = Fraction(stream.guessed_rate or _USUAL_RATE)
    line = timeline_of(container, stream, range(len(times)), [1] * len(times))
    return replace(line, time_base=1 / (rate if 1 <= rate <= 1000 else Fraction(_USUAL_RATE)), start=0)


def timeline_of(container: Any, stream: Any, pts: Iterable[int], durations: Iterable[int]) -> Timeline:
    """Return the timeline of some frames of an open container's stream, sorted, in units of its time base."""
    codec, usual = stream.codec_context, usual_of(container, stream)
    step = usual.units(usual.guessed_rate)
    return Timeline(
        pts=tuple(pts),
        durations=tuple(duration or step for duration in durations),
        time_base=Fraction(stream.time_base),
        start=start_of(container, stream),
        streams=len(container.streams),
        width=codec.width,
        height=codec.height,
        container=container.format.name,
        codec=codec.name,
        open_gop=False,
        hidden=0,
        videos=len(moving_streams(container)),
        pixels=codec.format.name if codec.format else "",  # PyAV 17 crashes where pix_fmt is not known
        colours=Colours(int(codec.colorspace), int(codec.color_trc)),
        aspect=Fraction(stream.sample_aspect_ratio or codec.sample_aspect_ratio or 1),
    )


def has_gap(container: Any, stream: Any, pts: Sequence[int], durations: Sequence[int]) -> bool:
    """Return whether a frame stays for more than an hour, or comes an hour after the container's start."""
    base = Fraction(stream.time_base)
    longest = max([*durations, *(after - before for before, after in pairwise(pts))])
    late = pts[0] * base - Fraction(start_of(container, stream), 1_000_000)
    return max(longest * base, late) > _LONGEST
