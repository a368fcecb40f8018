"""What can still be read of a damaged file: the frames that decode, if they are enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.container import first_line, main_video, open_container, packets_of, promised_frames
from zoomvqa.video.timeline import Timeline, has_gap, timeline_of
from zoomvqa.video.upright import Pictures

# Frames a second, where a file's own rate is damaged, too.
_USUAL_RATE = 25


class SalvagedVideo:
    """The frames of a damaged file that decode.

    Attributes:
        timeline: when those frames are shown; there are no others in it.
        reader: `pyav`.
        note: such as `damaged: 63 of 120 frames decode`.
    """

    reader = "pyav"

    def __init__(self, path: Path, timeline: Timeline, kept: Sequence[int], note: str) -> None:
        self._path, self._kept = path, kept
        self.timeline, self.note = timeline, note

    def __len__(self) -> int:
        return len(self.timeline)

    def frames(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames of `indices`, which never decrease, each (height, width, 3) uint8 RGB, upright.

        Raises:
            VideoError: a frame does not decode any more, or its pixels cannot be converted.
        """
        if list(indices) != sorted(indices) or not indices or indices[0] < 0 or indices[-1] >= len(self):
            raise ValueError(f"frame indices must be sorted and within 0..{len(self) - 1}")
        wanted, number, pictures = list(indices), 0, Pictures()
        try:
            with open_container(self._path) as container:
                for position, (frame, _) in enumerate(_decoded(container, main_video(container))):
                    if position != self._kept[wanted[number]]:
                        continue
                    picture = pictures(frame)
                    while number < len(wanted) and self._kept[wanted[number]] == position:
                        yield picture
                        number += 1
                    if number == len(wanted):
                        return
        except (av.FFmpegError, OSError, ValueError) as error:
            raise VideoError(f"it cannot be read any further: {first_line(error)}") from None
        raise VideoError(f"frame {wanted[number]} does not decode any more")


def salvage(path: Path, least_share: float) -> SalvagedVideo:
    """Open a file for which a `DamagedError` was raised, to read those of its frames that decode.

    The whole file is decoded once to find them; no picture is kept. What a decoder marks as damaged, because it
    made up a part of it, counts as not decoded.

    Args:
        path: the file.
        least_share: of the frames that the file promises, how many must decode: above 0, at most 1.

    Returns:
        Frames, timeline and note, behind the interface of a video.

    Raises:
        ValueError: `least_share` is out of its range.
        VideoError: fewer frames decode, or the file is no video at all.
    """
    if not 0 < least_share <= 1:
        raise ValueError(f"least_share must be above 0 and at most 1, got {least_share}")
    try:
        with open_container(path) as container:
            stream = main_video(container)
            kept, times, stored = list[int](), list[tuple[int | None, int]](), _Stored()
            for position, (frame, sound) in enumerate(_decoded(container, stream, stored)):
                if sound:
                    kept.append(position)
                    times.append((frame.pts, frame.duration or 0))
            ends = float(stored.ends * stream.time_base)
            promised = promised_frames(container, stream, stored.packets, ends) - stored.hidden
            promised = max(promised, len(kept), 1)
            if not kept or len(kept) < least_share * promised:
                raise VideoError(
                    f"the file is damaged or cut short: {len(kept)} of {promised} frames decode "
                    f"({len(kept) / promised:.1%}), at least {least_share:.1%} are asked for"
                )
            timeline = _timeline(container, stream, times)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"not a readable video: {first_line(error)}") from None
    return SalvagedVideo(path, timeline, kept, f"damaged: {len(kept)} of {promised} frames decode")


def _timeline(container: Any, stream: Any, times: Sequence[tuple[int | None, int]]) -> Timeline:
    """Return the timeline of frames of which decoding gave (pts, duration); of damaged times an even one."""
    pts = [time for time, _ in times if time is not None]
    durations = [duration for _, duration in times]
    if container.format.name == "avi":  # whose times are in the order of storage
        pts.sort()
    in_order = len(pts) == len(times) and all(before <= after for before, after in pairwise(pts))
    if in_order and not has_gap(container, stream, pts, durations):
        return timeline_of(container, stream, pts, durations)
    rate = Fraction(stream.guessed_rate or _USUAL_RATE)
    line = timeline_of(container, stream, range(len(times)), [1] * len(times))
    return replace(line, time_base=1 / (rate if 1 <= rate <= 1000 else Fraction(_USUAL_RATE)), start=0)


class _Stored:
    """What went by in a file: packets, those that are hidden, when the last ends, and times of damaged ones."""

    def __init__(self) -> None:
        self.packets = self.hidden = self.ends = 0
        self.damaged = set[int]()

    def see(self, packet: Any) -> None:
        """Take note of a packet."""
        self.packets += 1
        self.hidden += packet.is_discard
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            self.ends = max(self.ends, time + (packet.duration or 0))
            if packet.is_corrupt:
                self.damaged.add(time)


def _decoded(container: Any, stream: Any, stored: _Stored | None = None) -> Iterator[tuple[Any, bool]]:
    """Yield every frame that a decoder gives out, and whether it is sound; stop where the file cannot be followed.

    One thread decodes, so that each look at a file gives the same frames.
    """
    stored = stored or _Stored()
    stream.thread_type = "NONE"
    for packet in _followed(container, stream):
        if packet is not None:
            stored.see(packet)
        try:
            frames = stream.codec_context.decode(packet)
        except av.FFmpegError:  # this packet is lost, the next may not be
            continue
        for frame in frames:
            yield frame, not (frame.is_corrupt or frame.pts in stored.damaged)


def _followed(container: Any, stream: Any) -> Iterator[Any]:
    """Yield packets up to the end, or to where the container is broken, and None for the decoder's last frames."""
    with suppress(av.FFmpegError):
        yield from packets_of(container, stream)
    yield None
