"""Files as PyAV opens them: which stream is the video, and how much of it the file promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.stream import Disposition

from zoomvqa.errors import VideoError
from zoomvqa.video.alive import beat
from zoomvqa.video.clock import take_times_as_stored
from zoomvqa.video.headers import TrackHeader, track_header

# What reads other files than the one it is given, or the network: playlists, numbered pictures, streams.
_LISTS = frozenset({"concat", "dash", "hls", "image2", "imf", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"})
# What the common ones begin with, for decoders that do not tell what they take a file for.
_MARKS = (b"#EXTM3U", b"ffconcat")
# What ffmpeg gives a stream that is marked as the one to show, in pixels of another's picture.
_DEFAULT_IS_WORTH = 5_000_000


def open_container(path: Path) -> Any:
    """Open a file with PyAV; odd characters in its metadata are no reason to refuse it.

    PyAV before 19 refuses them unless it is told not to; later versions have no such option.

    Raises:
        VideoError: it is a list of other files, which are none of its reader's business.
        av.FFmpegError: it is no video.
    """
    path = path.absolute()  # a relative x:y.mp4 would be an address
    with path.open("rb") as handle:
        if handle.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_MARKS):
            raise VideoError("a list of other files, no video")
    options = {"format_whitelist": ",".join(sorted(av.formats_available - _LISTS))}
    try:
        container = av.open(str(path), options=options, metadata_errors="replace")
    except TypeError:
        container = av.open(str(path), options=options)
    take_times_as_stored(container)
    return container


def moving_streams(container: Any) -> list[Any]:
    """Return the video streams that are no attached pictures (covers), and no parts of one (tiles of HEIC)."""
    still = Disposition.attached_pic | Disposition.dependent
    return [s for s in container.streams.video if not s.disposition & still]


def main_video(container: Any) -> Any:
    """Return the video stream that is meant to be seen.

    It is the one that ffmpeg takes: the marked one, else the largest. A stream that promises a single frame
    beside one that does not is a preview, and is passed over.

    Raises:
        VideoError: there is no video in it.
    """
    found = [s for s in moving_streams(container) if s.codec_context is not None]
    if not found and moving_streams(container):
        raise VideoError("not a readable video: the codec of its video is not known")
    if not found:
        kinds = sorted({"a still picture" if s.type == "video" else s.type for s in container.streams})
        if not kinds:
            raise VideoError("not a readable video: there is no stream in it")
        raise VideoError(f"there is no video stream in it, only {', '.join(kinds)}")
    found = [s for s in found if s.frames != 1] or found

    def worth(stream: Any) -> int:
        size = (stream.codec_context.width or 0) * (stream.codec_context.height or 0)
        return size + _DEFAULT_IS_WORTH * bool(stream.disposition & Disposition.default)

    return max(found, key=worth)  # of equals the first


def header_of(container: Any, stream: Any) -> TrackHeader:
    """Return what the container's header says of a video stream beyond what PyAV hands on."""
    number = [each.index for each in moving_streams(container)].index(stream.index)
    return track_header(Path(container.name), container.format.name, stream.id, number)


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of a stream, in storage order.

    Raises:
        av.FFmpegError: the container is broken.
    """
    # At the end of a file PyAV stumbles over streams that were not there when the file was opened.
    with suppress(IndexError):
        for packet in container.demux(stream):
            beat()
            if packet.size:
                yield packet


class Promise(NamedTuple):
    """When a file says its video ends.

    Attributes:
        end: seconds from its start; 0 where it does not say.
        slack: by how many seconds a healthy file may end before. The last frame's duration may be missing, and
            lengths are rounded; that of a whole file is written by some as if its last frame were there twice.
    """

    end: float
    slack: float


def promised_end(container: Any, stream: Any, header: TrackHeader, ends: float) -> Promise:
    """Return when the file says its video ends.

    AVI, MXF and fragmented MP4 state the length of each stream, Matroska may do so in a tag. The length that
    Matroska, FLV and ASF state is that of the whole file: there a video may end before its sound.

    Args:
        container: PyAV's, open.
        stream: its video.
        header: what the container's header says of the video.
        ends: when the last packet of the video ends.
    """
    formats = set(container.format.name.split(","))
    frame = 1 / float(stream.guessed_rate or 25)
    near = min(0.5, max(0.1, 3 * frame))
    if formats & {"avi", "mxf"} or ("mov" in formats and not stream.frames):
        return Promise(float(stream.duration * stream.time_base) if stream.duration else 0.0, near)
    if tagged := _tagged_seconds(stream):
        return Promise(tagged, near)
    of_file = 0.0
    if formats & {"matroska", "asf"}:
        of_file = header.seconds
    elif "flv" in formats:
        of_file = (container.duration or 0) / 1_000_000
    is_short = ends < of_file and _file_end(container) < of_file - frame
    return Promise(of_file if is_short else 0.0, max(0.5, 3 * frame))


def _tagged_seconds(stream: Any) -> float:
    """Return what Matroska's DURATION tag says of a stream, in seconds; 0 where there is none."""
    found = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", str(stream.metadata.get("DURATION", "")).strip("\0 "))
    if not found:
        return 0.0
    return sum(float(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))


def _file_end(container: Any) -> float:
    """Return when the last packet of any stream ends, in seconds."""
    end = Fraction(0)
    with suppress(IndexError, av.FFmpegError), open_container(Path(container.name)) as again:
        for packet in again.demux():
            beat()
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None and packet.time_base:
                end = max(end, (time + (packet.duration or 0)) * packet.time_base)
    return float(end)


def promised_packets(container: Any, stream: Any, header: TrackHeader, seen: int, ends: float) -> int:
    """Return how many packets the file says its video has, or `seen` where it does not say.

    Args:
        container: PyAV's, open.
        stream: its video.
        header: what the container's header says of the video.
        seen: how many packets are in the file.
        ends: when the last of them ends, in seconds. Where the file only says how long it is, there are as many
            in a second of the missing part as in one of this part.
    """
    formats = set(container.format.name.split(","))
    if "mov" in formats and stream.frames:  # its index is without what an edit list cuts off at the end
        return max(len(stream.index_entries), seen)
    if "avi" in formats:
        return max(int(stream.frames), seen)
    rate = seen / ends if ends > 0 else float(stream.guessed_rate or 0)
    return max(round(rate * promised_end(container, stream, header, ends).end), seen)


def first_line(error: BaseException) -> str:
    """Return what an error of PyAV says, without its further lines."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
