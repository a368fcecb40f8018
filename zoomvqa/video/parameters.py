"""Whether a stream's coding parameters, such as the size of its pictures, change on the way.

decord scales what comes after such a change to the size that came first. The size stands in a header that is
repeated with keyframes; where two differ, something may change. Reading them takes no decoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zoomvqa.video.units import length_bytes, unit_kind, units

Header = Callable[[bytes], bytes]


class ParameterWatch:
    """Looks at the packets of a stream, in storage order.

    Args:
        codec: FFmpeg's name of it; of one that is not known here nothing is noticed.
        extradata: the header that the container holds.

    Attributes:
        changed: whether two headers differed.
    """

    def __init__(self, codec: str, extradata: bytes) -> None:
        self.changed = False
        self._every_packet = codec == "vp9"  # whose pictures may change their size at any frame
        self._header: Header | None = _header_of(codec, extradata)
        self._known = _of_extradata(codec, extradata, self._header)

    def see(self, packet: bytes | memoryview, is_keyframe: bool) -> None:
        """Take note of one packet."""
        if self._header is None or self.changed or not (is_keyframe or self._every_packet):
            return
        try:
            header = self._header(bytes(packet))
        except (IndexError, ValueError):  # damaged: the decoder will say so
            return
        if header:
            self.changed = bool(self._known) and header != self._known
            self._known = header


def _header_of(codec: str, extradata: bytes) -> Header | None:
    prefix = length_bytes(codec, extradata)
    known: dict[str, Header] = {
        "h264": lambda data: b"".join(u for u in units(data, prefix) if unit_kind(codec, u) == 7),
        "hevc": lambda data: b"".join(u for u in units(data, prefix) if unit_kind(codec, u) == 33),
        "mpeg4": lambda data: b"".join(u for u in units(data, 0) if u[:1] and 0x20 <= u[0] <= 0x2F),
        "mpeg2video": lambda data: b"".join(u[1:4] for u in units(data, 0) if u[:1] == b"\xb3"),
        "vp8": lambda data: data[6:10] if data[3:6] == b"\x9d\x01\x2a" else b"",
        "libvpx": lambda data: data[6:10] if data[3:6] == b"\x9d\x01\x2a" else b"",
        "vp9": _vp9_size,
        "mjpeg": _jpeg_size,
    }
    return known.get(codec)


def _of_extradata(codec: str, extradata: bytes, header: Header | None) -> bytes:
    """Return the header that the container holds, empty where the first packet's is to be the first."""
    if header is None or codec not in {"h264", "hevc", "mpeg4"}:
        return b""
    try:
        if codec == "mpeg4" or extradata[:1] != b"\x01":
            return header(extradata)
        return b"".join(_listed_units(codec, extradata))
    except IndexError:
        return b""


def _listed_units(codec: str, record: bytes) -> Iterator[bytes]:
    """Yield the sequence parameter sets of an `avcC` or `hvcC` record."""
    if codec == "h264":
        yield from _sized_units(record, 6, record[5] & 31)[0]
        return
    at = 23
    for _ in range(record[22]):
        kind, count = record[at] & 63, int.from_bytes(record[at + 1 : at + 3], "big")
        found, at = _sized_units(record, at + 3, count)
        yield from found if kind == 33 else ()


def _sized_units(record: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """Return units with two bytes of length before each, and where they end."""
    found = []
    for _ in range(count):
        size = int.from_bytes(record[at : at + 2], "big")
        found.append(record[at + 2 : at + 2 + size])
        at += 2 + size
    return found, at


def _jpeg_size(data: bytes) -> bytes:
    """Return height and width, two bytes each, of a JPEG picture."""
    at = 2
    while data[at] == 0xFF:
        if data[at + 1] in {0xC0, 0xC1, 0xC2, 0xC3}:
            return data[at + 5 : at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return b""


class _Bits:
    """Reads numbers of some bits."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), len(data) * 8

    def take(self, bits: int) -> int:
        self._left -= bits
        return self._value >> self._left & ((1 << bits) - 1)


def _vp9_size(data: bytes) -> bytes:
    """Return width and height of a VP9 frame that states them; empty for one that is as large as an earlier."""
    bits = _Bits(data[:24].ljust(24, b"\0"))
    if bits.take(2) != 2:
        return b""
    profile = bits.take(1) | bits.take(1) << 1
    if (profile == 3 and bits.take(1)) or bits.take(1):  # the second: an earlier frame is shown again
        return b""
    inter, shown, resilient = bits.take(1), bits.take(1), bits.take(1)
    if not inter:
        _skip_vp9_colours(bits, profile)
        return bits.take(32).to_bytes(4, "big")
    intra_only = 0 if shown else bits.take(1)
    bits.take(0 if resilient else 2)
    if intra_only:
        _skip_vp9_colours(bits, profile if profile else -1)
        bits.take(8)
        return bits.take(32).to_bytes(4, "big")
    bits.take(8 + 3 * 4)
    as_before = any(bits.take(1) for _ in range(3))
    return b"" if as_before else bits.take(32).to_bytes(4, "big")


def _skip_vp9_colours(bits: _Bits, profile: int) -> None:
    """Pass over the sync code and the colours; of profile -1 there are none."""
    bits.take(24)
    if profile < 0:
        return
    bits.take(1 if profile >= 2 else 0)
    if bits.take(3) != 7:
        bits.take(4 if profile & 1 else 1)
    else:
        bits.take(profile & 1)
