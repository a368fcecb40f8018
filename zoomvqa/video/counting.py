"""The frames of a file, found by decoding all of it: what is shown is counted, not what is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.video.clock import Marks, made_continuous, start_units, usual_of
from zoomvqa.video.container import main_video, open_container, packets_of
from zoomvqa.video.decoding import decodable, set_up_decoder
from zoomvqa.video.times import Decoded, shown_times
from zoomvqa.video.upright import UPRIGHT, Pictures, turn_of

# Files of which the first picture's checksum is remembered.
_REMEMBERED = 4096


class DecodedFrame(NamedTuple):
    """A frame that a decoder gave out.

    Attributes:
        frame: PyAV's.
        sound: whether the decoder did not mark it as corrupt.
    """

    frame: Any
    sound: bool


@dataclass
class Stored:
    """What was stored in the part of a file that was read.

    Attributes:
        packets: how many.
        hidden: how many of them an edit list says not to show.
        ends: when the last of them ends, in units of the stream's time base.
        failed: packets that the decoder refused.
        marks: the packets that the container marked as corrupt.
        broken: whether the container could not be read to its end.
    """

    packets: int = 0
    hidden: int = 0
    ends: int = 0
    failed: int = 0
    marks: Marks = field(default_factory=Marks)
    broken: bool = False

    def seen(self, packet: Any, moved: int) -> Any:
        """Take note of a packet, and by how much its times were moved; return it."""
        self.packets += 1
        self.hidden += packet.is_discard
        self.marks.see(packet, moved)
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            self.ends = max(self.ends, time + (packet.duration or 0))
        return packet


def decode_all(container: Any, stream: Any, stored: Stored | None = None) -> Iterator[DecodedFrame]:
    """Yield every frame that a decoder gives out, and go on behind what it cannot decode.

    One thread decodes, so that a damaged file gives the same frames each time.
    """
    stored = stored or Stored()
    decoder = set_up_decoder(stream, threads=False)
    for packet in _to_the_end(container, stream, stored):
        try:
            frames = decoder.decode(packet)
        except av.FFmpegError:  # this packet is lost, the next may not be
            stored.failed += 1
            continue
        for frame in frames:
            yield DecodedFrame(frame, not frame.is_corrupt)


def _to_the_end(container: Any, stream: Any, stored: Stored) -> Iterator[Any]:
    """Yield packets to the end, or to where the container is broken, and None for the decoder's last frames."""
    stored.broken = True
    with suppress(av.FFmpegError):
        packets = starmap(stored.seen, made_continuous(container, stream, packets_of(container, stream)))
        yield from decodable(packets, stream.codec_context)
        stored.broken = False
    yield None


@dataclass(frozen=True)
class FrameCount:
    """What a decoder gives out of a file.

    Attributes:
        times: of each frame its (pts, duration), in the order in which they are shown, as ffmpeg counts with them.
        sound: of each frame, whether neither the container nor the decoder marked it as corrupt.
        stored: what was in the file.
        upright: whether all pictures are shown as they are coded, neither turned nor mirrored.
        interlaced: whether any frame is marked as interlaced.
    """

    times: Sequence[tuple[int, int]]
    sound: Sequence[bool]
    stored: Stored
    upright: bool
    interlaced: bool

    @property
    def whole(self) -> bool:
        """Whether everything that is in the file decodes without a complaint."""
        return all(self.sound) and not (self.stored.failed or self.stored.marks.damaged() or self.stored.broken)


def count_frames(container: Any, stream: Any) -> FrameCount:
    """Decode a video stream from its start to its end, and keep no picture.

    Raises:
        VideoError: its pictures are turned by an angle that is no multiple of 90 degrees.
        av.FFmpegError: the file cannot be read.
    """
    frames, sound, stored = list[Decoded](), list[bool](), Stored()
    upright, interlaced = True, False
    for frame, is_sound in decode_all(container, stream, stored):
        frames.append(Decoded(frame.pts, frame.dts, frame.duration or 0))
        sound.append(is_sound)
        upright = upright and turn_of(frame) == UPRIGHT
        interlaced = interlaced or frame.interlaced_frame
    damaged = {time for time in stored.marks.damaged().values() if time is not None}
    sound = [is_sound and frame.pts not in damaged for is_sound, frame in zip(sound, frames, strict=True)]
    times = shown_times(frames, usual_of(container, stream), start_units(container, stream))
    return FrameCount(list(zip(*times, strict=True)), sound, stored, upright, interlaced)


def checksum(picture: NDArray[np.uint8]) -> str:
    """Return what tells a picture from others."""
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).hexdigest()


def first_of_plain(path: Path, frames: int) -> str:
    """Return the checksum of a file's first picture; empty where another decoder may show it otherwise.

    That is where it does not decode to `frames` sound pictures, all upright and progressive. Neither decord nor
    torchcodec hand on whether FFmpeg marked a frame as corrupt. The answer is remembered.
    """
    try:
        about = path.stat()
    except OSError:
        return ""
    return _first_of_plain(path, frames, (about.st_size, about.st_mtime_ns))


@lru_cache(_REMEMBERED)
def _first_of_plain(path: Path, frames: int, _state: tuple[int, int]) -> str:
    try:
        with open_container(path) as container:
            count = count_frames(container, main_video(container))
        plain = count.whole and count.upright and not count.interlaced
        if not plain or len(count.times) != frames:
            return ""
        with open_container(path) as container:
            frame, _ = next(decode_all(container, main_video(container)))
            return checksum(Pictures()(frame))
    except (av.FFmpegError, OSError, ValueError, VideoError):
        return ""
