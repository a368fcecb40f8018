"""EBML elements of Matroska and WebM that stand before the first cluster."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from zoomvqa.video.headers.track import MOST_BYTES, Crop, TrackHeader

_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TRACK, _KIND, _VIDEO, _ENCODINGS, _ENCODING = 0xAE, 0x83, 0xE0, 0x6D80, 0x6240
_SCALE, _DURATION, _ENCODING_TYPE = 0x2AD7B1, 0x4489, 0x5033
_CROPS = (0x54CC, 0x54BB, 0x54DD, 0x54AA)  # left, top, right, bottom
_WIDTH, _HEIGHT = 0xB0, 0xBA


def read_matroska(file: BinaryIO, number: int) -> TrackHeader:
    """Read what Matroska's or WebM's Info and Tracks say of the video track with a number, from 0 (RFC 9559).

    Raises:
        IndexError: they are damaged.
    """
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
        if size > MOST_BYTES:
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
    return TrackHeader(crop.within(_whole(video.get(_WIDTH)), _whole(video.get(_HEIGHT))), 1, encrypted)


def _whole(data: memoryview | None) -> int:
    return int.from_bytes(data or b"", "big")


def _real(data: memoryview | None) -> float:
    if data is None or len(data) not in {4, 8}:
        return 0.0
    return float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0])
