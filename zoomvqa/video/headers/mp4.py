"""Boxes of MP4 and QuickTime."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from zoomvqa.video.headers.track import MOST_BYTES, NO_CROP, Crop, TrackHeader


class _Box(NamedTuple):
    kind: bytes
    data: memoryview


def read_mp4(file: BinaryIO, track: int) -> TrackHeader:
    """Read what an MP4 or QuickTime header says of the track with an ID (ISO 14496-12).

    Raises:
        struct.error, ZeroDivisionError: it is damaged.
    """
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
        if kind == b"moov" and size <= MOST_BYTES:
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
    return Crop(left, top, int(width - wide - left), int(height - high - top)).within(width, height)
