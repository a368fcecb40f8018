"""A timeline from decoded frames, put together as `zoomvqa.video.times` and `discontinuity` tell."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import Flags
from av.format import Flags as FormatFlags

from zoomvqa.video.container import main_video, open_container, packets_of
from zoomvqa.video.discontinuity import Continuous, Stored
from zoomvqa.video.timeline import Timeline
from zoomvqa.video.times import Decoded, Usual, nearest, shown_times, start_in_use


def decoded_timeline(path: Path) -> Timeline:
    """Decode a file, and return when its frames are shown as ffmpeg counts."""
    with open_container(path) as container:
        container.flags &= ~Flags.gen_pts.value
        stream, format_flags = main_video(container), container.format.flags
        codec, base = stream.codec_context, Fraction(stream.time_base)
        restarts = bool(format_flags & FormatFlags.ts_discont.value)
        start = start_in_use(container.start_time or 0, stream.start_time, base, restarts=restarts)
        counted_from = nearest(Fraction(start, 1_000_000) / base)
        usual = Usual(
            base,
            Fraction(stream.guessed_rate or 0),
            Fraction(codec.framerate or 0),
            timed=not format_flags & FormatFlags.no_timestamps.value,
        )
        moved_by, frames = Continuous(base, counted_from, usual.codec_rate), []
        for packet in chain(packets_of(container, stream), [None]):
            if packet is not None and restarts:
                _move(packet, moved_by(Stored(packet.dts, packet.pts, packet.duration or 0)))
            try:
                frames += [Decoded(f.pts, f.dts, f.duration or 0) for f in codec.decode(packet)]
            except av.FFmpegError:
                continue
        pts, durations = shown_times(frames, usual, counted_from)
        return Timeline(
            tuple(pts), tuple(durations), base, start, len(container.streams), codec.width, codec.height,
            container.format.name, codec.name, open_gop=False, hidden=0,
        )  # fmt: skip


def _move(packet: av.Packet, by: int) -> None:
    dts, pts = packet.dts, packet.pts
    packet.dts = None if dts is None else dts + by
    packet.pts = None if pts is None else pts + by
