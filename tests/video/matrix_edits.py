"""Changes to the bytes of made files, for what ffmpeg does not write itself."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from io import BytesIO

import av

_VOP = b"\x00\x00\x01\xb6"
_TIME_BITS = 5  # of the time in an MPEG-4 picture header at 25 frames a second
_TS_PACKET = 188


def short_edit(seconds: float) -> Callable[[bytes], bytes]:
    """Let the MP4 edit list show only the first seconds of the media, as a phone's trimming does."""

    def change(data: bytes) -> bytes:
        at = data.index(b"elst")
        version, count = data[at + 4], int.from_bytes(data[at + 8 : at + 12], "big")
        if version != 0 or count != 1:
            raise ValueError(f"an edit list of version {version} with {count} entries")
        scale = int.from_bytes(data[data.index(b"mvhd") + 16 :][:4], "big")
        return data[: at + 12] + struct.pack(">I", round(seconds * scale)) + data[at + 16 :]

    return change


def clap(width: int, height: int) -> Callable[[bytes], bytes]:
    """Show only the middle of an MP4 picture (clean aperture), told in place of its colour and rate boxes."""

    def change(data: bytes) -> bytes:
        begin = min(data.index(kind) for kind in (b"colr", b"pasp", b"btrt")) - 4
        end = begin
        while data[end + 4 : end + 8] in {b"colr", b"pasp", b"btrt"}:
            end += int.from_bytes(data[end : end + 4], "big")
        box = struct.pack(">I4s8I", 40, b"clap", width, 1, height, 1, 0, 1, 0, 1)
        room = end - begin - len(box)
        if room < 8:
            raise ValueError("no room for a clap box")
        return data[:begin] + box + struct.pack(">I4s", room, b"free") + bytes(room - 8) + data[end:]

    return change


def pixel_crop(data: bytes) -> bytes:
    """Crop 16 columns and 8 rows of a Matroska video, in place of the shape that it is to be shown in."""
    shape = re.search(rb"\x54\xb0\x81.\x54\xba\x81.\x54\xb2\x81\x03", data, re.DOTALL)
    if not shape:
        raise ValueError("it does not tell the shape")
    crop = b"\x54\xcc\x81\x10\x54\xbb\x81\x08\x54\xb2\x81\x00"
    return data[: shape.start()] + crop + data[shape.end() :]


def begun_late(share: float) -> Callable[[bytes], bytes]:
    """Leave out the beginning of an MPEG-TS recording, but for the packets that tell what is in it."""

    def change(data: bytes) -> bytes:
        begin = int(len(data) * share) // _TS_PACKET * _TS_PACKET
        return data[: 3 * _TS_PACKET] + data[begin:]

    return change


def twice(data: bytes) -> bytes:
    """Join a recording with itself: its times start again."""
    return data + data


def remuxed(change: Callable[[list[bytes]], Sequence[bytes]]) -> Callable[[bytes], bytes]:
    """Give the packets of an AVI file to a function, and write what it returns, one frame time each."""

    def edit(data: bytes) -> bytes:
        written = BytesIO()
        with av.open(BytesIO(data)) as source, av.open(written, "w", format="avi") as target:
            stream = source.streams.video[0]
            copy = target.add_stream_from_template(stream)
            packets = [p for p in source.demux(stream) if p.size]
            for number, content in enumerate(change([bytes(p) for p in packets])):
                packet = av.Packet(content)
                packet.stream, packet.time_base = copy, stream.time_base
                packet.pts = packet.dts = number
                packet.is_keyframe = number < len(packets) and packets[number].is_keyframe
                target.mux(packet)
        return written.getvalue()

    return edit


def not_coded(packets: list[bytes]) -> list[bytes]:
    """Replace some MPEG-4 pictures by the mark that the one before stays, as XviD drops frames."""
    return [_empty(p) if number % 12 in {4, 5, 9} else p for number, p in enumerate(packets)]


def packed(packets: list[bytes]) -> list[bytes]:
    """Put each B picture into one packet with the picture that it is stored behind, as DivX did in AVI."""
    found: list[bytes] = []
    for packet in packets:
        is_b = packet[packet.index(_VOP) + 4] >> 6 == 2
        if is_b:
            found[-1] += packet
            found.append(_empty(found[-1]))
        else:
            found.append(packet)
    # What tells a decoder that it is so, before each keyframe.
    told = b"\x00\x00\x01\xb2DivX503b1393p"
    return [told + packet if packet[packet.index(_VOP) + 4] >> 6 == 0 else packet for packet in found]


def _empty(packet: bytes) -> bytes:
    """Return a picture of the same time as the packet's first one that is marked as not coded."""
    at = packet.index(_VOP) + 4
    bits = "".join(f"{byte:08b}" for byte in packet[at : at + 8])
    time_at = bits.index("0", 2) + 1
    header = "01" + bits[2:time_at] + bits[time_at : time_at + 1 + _TIME_BITS + 1] + "0"
    header += "0" + "1" * (-(len(header) + 1) % 8)  # the stuffing that ends a picture
    return _VOP + int(header, 2).to_bytes(len(header) // 8, "big")
