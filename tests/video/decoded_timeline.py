"""A timeline from decoded frames, put together as `zoomvqa.video.clock` and `times` tell."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from pathlib import Path

import av

from zoomvqa.video.clock import made_continuous, start_of, start_units, take_times_as_stored, usual_of
from zoomvqa.video.container import main_video, open_container, packets_of
from zoomvqa.video.timeline import Timeline
from zoomvqa.video.times import Decoded, shown_times


def decoded_timeline(path: Path) -> Timeline:
    """Decode a file, and return when its frames are shown as ffmpeg counts."""
    with open_container(path) as container:
        take_times_as_stored(container)
        stream, frames = main_video(container), list[Decoded]()
        codec, packets = stream.codec_context, made_continuous(container, stream, packets_of(container, stream))
        for packet in chain((packet for packet, _ in packets), [None]):
            try:
                frames += [Decoded(f.pts, f.dts, f.duration or 0) for f in codec.decode(packet)]
            except av.FFmpegError:
                continue
        pts, durations = shown_times(frames, usual_of(container, stream), start_units(container, stream))
        return Timeline(
            tuple(pts), tuple(durations), Fraction(stream.time_base), start_of(container, stream),
            len(container.streams), codec.width, codec.height, container.format.name, codec.name,
            open_gop=False, hidden=0,
        )  # fmt: skip
