"""The units that packets of H.264 and HEVC are made of, and whether there is a picture among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_START_CODE = re.compile(rb"\x00\x00\x01")


class _Kinds(NamedTuple):
    """Numbers of kinds of units.

    Attributes:
        beside: without a picture: parameter sets, messages, delimiters, ends of sequence and stream, filling.
        sequence, picture: the parameter sets of those.
        empty: delimiters and ends, which have at most a byte of content.
    """

    beside: frozenset[int]
    sequence: int
    picture: int
    empty: frozenset[int]


_KINDS = {
    "h264": _Kinds(frozenset(range(6, 13)), 7, 8, frozenset({9, 10, 11})),
    "hevc": _Kinds(frozenset(range(32, 40)), 33, 34, frozenset({35, 36, 37})),
}
# Bytes of an empty unit, with the header of HEVC.
_MOST_OF_EMPTY = 3


def length_bytes(codec: str, extradata: bytes) -> int:
    """Return how many bytes of length come before each unit; 0 where start codes are between them."""
    if extradata[:1] != b"\x01":
        return 0
    at = 4 if codec == "h264" else 21
    return (extradata[at : at + 1] or b"\x03")[0] % 4 + 1


def units(data: bytes, prefix: int) -> Iterator[bytes]:
    """Yield the units of a packet: after start codes, or with lengths of `prefix` bytes before them."""
    if not prefix:
        begins = [found.end() for found in _START_CODE.finditer(data)]
        ends = [*(begin - 3 for begin in begins), len(data)][1:]
        yield from (data[begin:end].rstrip(b"\0") for begin, end in zip(begins, ends, strict=True))
        return
    at = 0
    while at + prefix < len(data):
        size = int.from_bytes(data[at : at + prefix], "big")
        yield data[at + prefix : at + prefix + size]
        at += prefix + size


def unit_kind(codec: str, unit: bytes) -> int:
    """Return the kind of a unit of H.264 or HEVC; -1 of one that is none."""
    if not unit or unit[0] & 0x80:
        return -1
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1


def picture_test(codec: str, extradata: bytes) -> Callable[[bytes | memoryview], bool]:
    """Return what tells whether a packet of a stream holds a picture, or a part of one.

    There are packets with nothing but a delimiter at the end of raw streams, and with nothing but parameter sets
    where an encoder's output was stored as it came. What is damaged, and what is no H.264 or HEVC, is taken for a
    picture.

    Args:
        codec: FFmpeg's name of it.
        extradata: the header that the container holds.
    """
    if codec not in _KINDS:
        return lambda _: True
    prefix = length_bytes(codec, extradata)
    return lambda data: _holds_picture(codec, bytes(data), prefix)


def h264_delimiter(extradata: bytes) -> bytes:
    """Return a packet with nothing but an access unit delimiter, for a stream with this header."""
    unit, prefix = b"\x09\xf0", length_bytes("h264", extradata)
    return (len(unit).to_bytes(prefix, "big") if prefix else b"\0\0\0\1") + unit


def _holds_picture(codec: str, data: bytes, prefix: int) -> bool:
    known, seen = _KINDS[codec], set[int]()
    for unit in units(data, prefix):
        kind = unit_kind(codec, unit)
        if kind not in known.beside or (kind in known.empty and len(unit) > _MOST_OF_EMPTY):
            return True
        seen.add(kind)
    # One set without the other is rather a picture with a wrong bit.
    paired = (known.sequence in seen) == (known.picture in seen)
    return not (seen and paired and _is_divided(data, prefix))


def _is_divided(data: bytes, prefix: int) -> bool:
    """Tell whether a packet is units and nothing else."""
    if not prefix:
        return data.startswith((b"\0\0\1", b"\0\0\0\1"))
    at = 0
    while at + prefix <= len(data):
        at += prefix + int.from_bytes(data[at : at + prefix], "big")
    return at == len(data)
