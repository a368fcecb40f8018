"""When each frame of a video is shown, read from the container without decoding a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from zoomvqa.errors import VideoError


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

    def __len__(self) -> int:
        return len(self.pts)

    def seconds(self, index: int) -> float:
        """Return when frame `index` is shown, in seconds from the container's start."""
        return float(self.pts[index] * self.time_base - Fraction(self.start, 1_000_000))


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
    """Read the timeline of the first video stream of `path`.

    Raises:
        VideoError: the file is missing, empty, unreadable, holds no video, or ends before its index says.
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
        raise VideoError(f"not a readable video: {_reason(error)}") from None


def open_container(path: Path) -> Any:
    """Open a file with PyAV; odd characters in its metadata are no reason to refuse it.

    PyAV before 19 refuses them unless it is told not to; later versions have no such option.
    """
    path = path.absolute()  # a relative x:y.mp4 would be an address
    try:
        return av.open(str(path), metadata_errors="replace")
    except TypeError:
        return av.open(str(path))


def _read(container: Any) -> Timeline:
    if not container.streams.video:
        kinds = sorted({s.type for s in container.streams})
        if not kinds:
            raise VideoError("not a readable video: there is no stream in it")
        raise VideoError(f"there is no video stream in it, only {', '.join(kinds)}")
    stream = container.streams.video[0]
    packets, cut = _packets(container, stream)
    if cut:
        raise VideoError(f"the file is damaged or cut short: {len(packets)} frames before {cut}")
    if not packets:
        raise VideoError("there is no frame in its video stream")
    shown = sorted((p for p in packets if not p[3]), key=lambda p: p[0])
    return Timeline(
        pts=tuple(p[0] for p in shown),
        durations=tuple(p[1] for p in shown),
        time_base=Fraction(stream.time_base),
        start=container.start_time or 0,
        streams=len(container.streams),
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        container=container.format.name,
        codec=stream.codec_context.name,
        open_gop=_has_open_gop(packets),
        hidden=len(packets) - len(shown),
    )


def _packets(container: Any, stream: Any) -> tuple[list[tuple[int, int, bool, bool]], str]:
    """Return (pts, duration, keyframe, hidden) of every packet in storage order, and why reading ended early."""
    rows: list[tuple[int, int, bool, bool]] = []
    step = round(1 / (Fraction(stream.guessed_rate or 25) * Fraction(stream.time_base)))
    cut = ""
    try:
        for packet in container.demux(stream):
            if packet.size == 0:  # the flush packet at the end
                continue
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None:  # raw streams carry no times at all
                time = len(rows) * step
            if packet.is_corrupt:
                cut = "a corrupt one"
                break
            rows.append((time, packet.duration or 0, packet.is_keyframe, packet.is_discard))
    except av.FFmpegError as error:
        cut = _reason(error)
    promised = stream.frames
    if not cut and promised > len(rows) and container.format.name.startswith("mov"):
        cut = f"the data ends, its index lists {promised}"
    told, base = _told_seconds(stream), Fraction(stream.time_base)
    if not cut and rows and told and (ends := float(max(time + length for time, length, *_ in rows) * base)):
        # Half a second of slack: the note is written from rounded times.
        cut = f"the data ends at {ends:.1f} s of {told:.1f} s" if ends < told - 0.5 else ""
    return rows, cut


def _told_seconds(stream: Any) -> float:
    """Return how long Matroska's own note says the stream is, 0 without such a note."""
    found = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", str(stream.metadata.get("DURATION", "")).strip("\0 "))
    return (
        sum(float(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
    )


def _has_open_gop(packets: list[tuple[int, int, bool, bool]]) -> bool:
    keyframe: int | None = None
    for number, (time, _, is_key, _) in enumerate(packets):
        if is_key:
            keyframe = time if number else None
        elif keyframe is not None and time < keyframe:
            return True
    return False


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
