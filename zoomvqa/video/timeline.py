"""When each frame of a video is shown, read from the container without decoding a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.clock import start_of, usual_of
from zoomvqa.video.container import first_line, header_of, main_video, moving_streams, open_container
from zoomvqa.video.counting import count_frames
from zoomvqa.video.headers import NO_CROP, Crop
from zoomvqa.video.packets import Packets, has_open_gop, read_packets

# Frames a second, where a file's own rate is damaged, too.
_USUAL_RATE = 25
# Seconds that a frame may stay; frames are chosen by their times, and a damaged time would choose one for ever.
_LONGEST = 3600
_SQUARE = Fraction(1)


class Colours(NamedTuple):
    """Code points of ITU-T H.273; 2 says that the file does not tell.

    Attributes:
        matrix: from RGB to luma and colour differences.
        transfer: from light to values: 16 is PQ, 18 is HLG.
    """

    matrix: int = 2
    transfer: int = 2


_UNTOLD = Colours()


@dataclass(frozen=True)
class Timeline:
    """The frames of a video stream in the order they are shown.

    Attributes:
        pts: presentation time of each frame, in units of `time_base`.
        durations: how long the container says each frame stays, same units; 0 where it does not say.
        time_base: seconds per unit.
        start: the container's start time in microseconds (the first stream's, so audio may precede video).
        streams: number of streams in the container, audio and data included.
        width: width in pixels as coded, less what is cropped, 0 where it is not known.
        height: likewise.
        container: FFmpeg's names of the container format, comma-separated.
        codec: FFmpeg's name of the video codec.
        open_gop: whether some frame shown before a keyframe is stored behind it (random access is unsafe).
        hidden: number of stored frames that an edit list says not to show.
        videos: number of video streams in the container, cover pictures not counted.
        timed: whether the container says of each frame when it is shown.
        varies: whether the pictures may change their size on the way.
        counted: whether frames were counted by decoding, as packets are not frames in this file.
        crop: what the container says is not shown of the coded picture.
        pixels: FFmpeg's name of the pixel format, such as `yuv420p`.
        colours: how they are coded, see `Colours`.
        aspect: width of a pixel over its height, as the file says.
        interlaced: whether the file says that its frames are made of fields.
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
    counted: bool = False
    crop: Crop = NO_CROP
    pixels: str = ""
    colours: Colours = _UNTOLD
    aspect: Fraction = _SQUARE
    interlaced: bool = False

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
            stream = main_video(container)
            header = header_of(container, stream)
            if header.encrypted:
                raise VideoError("its video is encrypted")
            packets = read_packets(container, stream, header)
            line = replace(
                _of_packets(container, stream, packets), varies=packets.varies or header.descriptions > 1
            )
        if not packets.shows_all:
            line = _counted(path, line)
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


def _counted(path: Path, line: Timeline) -> Timeline:
    """Return a timeline with the times of the frames that a decoder gives out.

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
        times = timeline_of_times(container, stream, count.times)
    return replace(
        line, pts=times.pts, durations=times.durations, time_base=times.time_base, start=times.start, counted=True
    )


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
        pixels=codec.pix_fmt or "",
        colours=Colours(int(codec.colorspace), int(codec.color_trc)),
        aspect=Fraction(stream.sample_aspect_ratio or codec.sample_aspect_ratio or 1),
        interlaced=int(codec.field_order) > 1,
    )


def has_gap(container: Any, stream: Any, pts: Sequence[int], durations: Sequence[int]) -> bool:
    """Return whether a frame stays for more than an hour, or comes an hour after the container's start."""
    base = Fraction(stream.time_base)
    longest = max([*durations, *(after - before for before, after in pairwise(pts))])
    late = pts[0] * base - Fraction(start_of(container, stream), 1_000_000)
    return max(longest * base, late) > _LONGEST
