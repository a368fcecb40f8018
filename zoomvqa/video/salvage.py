"""What can still be read of a damaged file: the frames that decode, if they are enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.container import first_line, header_of, main_video, open_container, promised_packets
from zoomvqa.video.counting import FrameCount, count_frames, decode_all
from zoomvqa.video.headers import TrackHeader
from zoomvqa.video.pyav_reader import pictures_of
from zoomvqa.video.read_timeline import cropped, timeline_of_times
from zoomvqa.video.show import AS_IS, Show, deinterlaced
from zoomvqa.video.timeline import Timeline


class SalvagedVideo:
    """The frames of a damaged file that decode.

    Attributes:
        timeline: when those frames are shown; there are no others in it.
        reader: `pyav`.
        note: see `zoomvqa.views.decoding.FrameStore`.
        damage: such as `damaged: 63 of 120 frames decode`; empty where all do.
    """

    reader = "pyav"

    def __init__(
        self, path: Path, timeline: Timeline, kept: Sequence[int], damage: str, note: str, show: Show
    ) -> None:
        self._path, self._kept, self._show = path, kept, show
        self.timeline, self.damage, self.note = timeline, damage, note

    def __len__(self) -> int:
        return len(self.timeline)

    def frames(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames of `indices`, which never decrease, each (height, width, 3) uint8 RGB, upright.

        Raises:
            VideoError: a frame does not decode any more, or its pixels cannot be converted.
        """
        if list(indices) != sorted(indices) or not indices or indices[0] < 0 or indices[-1] >= len(self):
            raise ValueError(f"frame indices must be sorted and within 0..{len(self) - 1}")
        wanted, number, pictures = list(indices), 0, pictures_of(self.timeline, self._show)
        try:
            with open_container(self._path) as container:
                frames: Iterator[Any] = (found.frame for found in decode_all(container, main_video(container)))
                frames = deinterlaced(frames) if self._show.deinterlaces else frames
                for position, frame in enumerate(frames):
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


def salvage(path: Path, least_share: float, show: Show = AS_IS) -> SalvagedVideo:
    """Open a file for which a `DamagedError` was raised, to read those of its frames that decode.

    The whole file is decoded once to find them; no picture is kept. What a decoder marks as damaged, because it
    made up a part of it, counts as not decoded.

    Args:
        path: the file.
        least_share: of the frames that the file promises, how many must decode: above 0, at most 1.
        show: what is done to its pictures.

    Returns:
        Frames, timeline and damage, behind the interface of a video.

    Raises:
        ValueError: `least_share` is out of its range.
        VideoError: fewer frames decode, or the file is no video at all.
    """
    if not 0 < least_share <= 1:
        raise ValueError(f"least_share must be above 0 and at most 1, got {least_share}")
    try:
        with open_container(path) as container:
            stream = main_video(container)
            header, count = header_of(container, stream), count_frames(container, stream)
            kept = [position for position, is_sound in enumerate(count.sound) if is_sound]
            promised = promised_frames(container, stream, header, count)
            if not kept or len(kept) < least_share * promised:
                raise VideoError(
                    f"the file is damaged or cut short: {len(kept)} of {promised} frames decode "
                    f"({len(kept) / promised:.1%}), at least {least_share:.1%} are asked for"
                )
            times = [count.times[position] for position in kept]
            timeline = cropped(timeline_of_times(container, stream, times), header.crop)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"not a readable video: {first_line(error)}") from None
    damage = f"damaged: {len(kept)} of {promised} frames decode" if len(kept) < promised else ""
    note = show.note(timeline, interlaced=count.interlaced)
    return SalvagedVideo(path, timeline, kept, damage, note, show)


def promised_frames(container: Any, stream: Any, header: TrackHeader, count: FrameCount) -> int:
    """Return how many frames a file promises to show, at least 1.

    Where all that is in the file decodes, these are its frames, and what is missing at its end. Where something
    does not, they are its packets: how many frames were lost cannot be known.
    """
    stored = count.stored
    packets = promised_packets(container, stream, header, stored.packets, float(stored.ends * stream.time_base))
    if count.whole:
        return max(1, len(count.times) + packets - stored.packets)
    return max(1, len(count.times), packets - stored.hidden)
