"""What MP4 and Matroska headers say of a video that FFmpeg's Python binding does not hand on."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

# A header is small; what claims more is damaged, and is not read.
_MOST = 64_000_000


class Crop(NamedTuple):
    """Rows and columns at the edges of the coded picture that are not shown."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


NO_CROP = Crop()


class TrackHeader(NamedTuple):
    """What a container's header says of one video track.

    Attributes:
        crop: clean aperture (`clap`) of MP4, PixelCrop of Matroska.
        descriptions: how many sample descriptions it has; of several, pictures may differ in size.
        encrypted: whether its frames are encrypted.
        seconds: how long the header says the whole file is; 0 where it does not say, and in MP4.
    """

    crop: Crop = NO_CROP
    descriptions: int = 1
    encrypted: bool = False
    seconds: float = 0.0


def track_header(path: Path, container: str, track: int, number: int) -> TrackHeader:
    """Read what a file's header says of a video track; of other containers, or where it is damaged, nothing.

    Args:
        path: of the file.
        container: FFmpeg's names of the container format, comma-separated.
        track: the track's ID in MP4.
        number: which of the video tracks it is, from 0, in Matroska.
    """
    formats = set(container.split(","))
    try:
        with path.open("rb") as file:
            if "mov" in formats:
                return _of_mp4(file, track)
            if "matroska" in formats:
                return _of_matroska(file, number)
    except (struct.error, IndexError, ZeroDivisionError, OverflowError):
        pass  # FFmpeg reads what it can of it
    return TrackHeader()


class _Box(NamedTuple):
    kind: bytes
    data: memoryview


def _of_mp4(file: BinaryIO, track: int) -> TrackHeader:
    for box in _boxes(_movie_box(file)):
        if box.kind != b"trak":
            continue
        if _track_id(_first(box.data, b"tkhd")) == track:
            return _of_descriptions(_first(box.data, b"mdia", b"minf", b"stbl", b"stsd"))
    return TrackHeader()


def _movie_box(file: BinaryIO) -> memoryview:
    """Return what is in a file's `moov` box; empty where there is none."""
    end = file.seek(0, 2)
    at = 0
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        size = end - at if size == 0 else size
        if size < head:
            break
        if kind == b"moov" and size <= _MOST:
            return memoryview(file.read(size - head))
        at += size
    return memoryview(b"")


def _boxes(data: memoryview) -> Iterator[_Box]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        size = len(data) - at if size == 0 else size
        if size < 8:
            return
        yield _Box(kind, data[at + 8 : at + size])
        at += size


def _first(data: memoryview, *kinds: bytes) -> memoryview:
    """Return what is in the box that is reached through boxes of these kinds, the first of each."""
    for kind in kinds:
        data = next((box.data for box in _boxes(data) if box.kind == kind), memoryview(b""))
    return data


def _track_id(header: memoryview) -> int:
    """Return the track's ID in a `tkhd` box; -1 where there is none."""
    if len(header) < 24:
        return -1
    return int(struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)[0])


def _of_descriptions(table: memoryview) -> TrackHeader:
    """Read an `stsd` box: after 8 bytes a box for each sample description."""
    entries = list(_boxes(table[8:]))
    if not entries:
        return TrackHeader()
    # What each visual sample entry begins with takes 78 bytes, width and height among them.
    first = entries[0].data
    width, height = struct.unpack_from(">HH", first, 24)
    aperture = _first(first[78:], b"clap")
    crop = _clean_aperture(aperture, width, height) if len(aperture) >= 32 else NO_CROP
    return TrackHeader(crop, len(entries), encrypted=any(entry.kind == b"encv" for entry in entries))


def _clean_aperture(data: memoryview, width: int, height: int) -> Crop:
    """Return the crop of a `clap` box: four fractions, two sides and how far the middle is off (ISO 14496-12)."""
    numbers = struct.unpack_from(">IIIIiIiI", data)
    wide, high, right, down = (numbers[i] / numbers[i + 1] for i in range(0, 8, 2))
    left, top = int((width - wide) / 2 + right), int((height - high) / 2 + down)
    return _possible(Crop(left, top, int(width - wide - left), int(height - high - top)), width, height)


def _possible(crop: Crop, width: int, height: int) -> Crop:
    """Return a crop that leaves something of the picture, or none."""
    leaves = crop.left + crop.right < width and crop.top + crop.bottom < height
    return crop if min(crop) >= 0 and leaves else NO_CROP


_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TRACK, _KIND, _VIDEO, _ENCODINGS, _ENCODING = 0xAE, 0x83, 0xE0, 0x6D80, 0x6240
_SCALE, _DURATION, _ENCODING_TYPE = 0x2AD7B1, 0x4489, 0x5033
_CROPS = (0x54CC, 0x54BB, 0x54DD, 0x54AA)  # left, top, right, bottom
_WIDTH, _HEIGHT = 0xB0, 0xBA


def _of_matroska(file: BinaryIO, number: int) -> TrackHeader:
    """Read Info and Tracks, which stand before the first cluster."""
    seconds, header = 0.0, TrackHeader()
    for kind, size in _top_elements(file):
        if kind == _INFO:
            info = dict(_elements(memoryview(file.read(size))))
            seconds = _real(info.get(_DURATION)) * (_whole(info.get(_SCALE)) or 1_000_000) / 1e9
        elif kind == _TRACKS:
            tracks = [dict(_elements(data)) for k, data in _elements(memoryview(file.read(size))) if k == _TRACK]
            videos = [track for track in tracks if _whole(track.get(_KIND)) == 1]
            header = _of_track(videos[number]) if number < len(videos) else header
    return header._replace(seconds=seconds)


def _top_elements(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield kind and size of each element before the first cluster, the file standing at its data."""
    end = file.seek(0, 2)
    at = 0
    while at < end:
        file.seek(at)
        head = memoryview(file.read(12))
        kind, begin = _number(head, 0, keep_mark=True)
        size, begin = _number(head, begin, keep_mark=False)
        if kind == _CLUSTER:
            return
        if kind == _SEGMENT:  # it may be of unknown size; its children follow
            at += begin
            continue
        if size > _MOST:
            return
        file.seek(at + begin)
        yield kind, size
        at += begin + size


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(data):
        kind, at = _number(data, at, keep_mark=True)
        size, at = _number(data, at, keep_mark=False)
        yield kind, data[at : at + size]
        at += size


def _number(data: memoryview, at: int, *, keep_mark: bool) -> tuple[int, int]:
    """Return an EBML number of 1 to 8 bytes and where it ends; its leading zero bits tell how long it is."""
    length = 9 - data[at].bit_length()
    if length > 8:
        raise IndexError("no EBML number")
    value = int.from_bytes(data[at : at + length], "big")
    return value if keep_mark else value & ~(1 << 7 * length), at + length


def _of_track(track: dict[int, memoryview]) -> TrackHeader:
    video = dict(_elements(track.get(_VIDEO, memoryview(b""))))
    crop = Crop(*(_whole(video.get(kind)) for kind in _CROPS))
    encodings = [
        dict(_elements(e)) for k, e in _elements(track.get(_ENCODINGS, memoryview(b""))) if k == _ENCODING
    ]
    encrypted = any(_whole(encoding.get(_ENCODING_TYPE)) == 1 for encoding in encodings)
    return TrackHeader(_possible(crop, _whole(video.get(_WIDTH)), _whole(video.get(_HEIGHT))), 1, encrypted)


def _whole(data: memoryview | None) -> int:
    return int.from_bytes(data or b"", "big")


def _real(data: memoryview | None) -> float:
    if data is None or len(data) not in {4, 8}:
        return 0.0
    return float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0])
