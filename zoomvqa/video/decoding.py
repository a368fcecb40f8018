"""A decoder set up as the ffmpeg program sets it up, what it is given, and what it gives out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
from av.codec.context import Flags

from zoomvqa.video.units import h264_delimiter, picture_test

_NEEDS_KEY = frozenset({"vp8", "libvpx", "vp9", "libvpx-vp9", "av1", "libdav1d"})


def set_up_decoder(stream: Any, *, threads: bool) -> Any:
    """Return the decoder of a stream, to be used as the ffmpeg program uses it: it crops to the pixel.

    Args:
        stream: of a container that was just opened.
        threads: decode frames at the same time; where a file is damaged, frames then differ from run to run.
    """
    decoder = stream.codec_context
    decoder.flags |= Flags.unaligned
    stream.thread_type = "AUTO" if threads else "NONE"
    return decoder


def decodable(packets: Iterator[Any], decoder: Any) -> Iterator[Any]:
    """Yield the packets of a video without those that a decoder only complains of.

    These are, for some codecs, the ones before the first keyframe; decoders of others leave out what they cannot
    show, or can begin without a keyframe. And of H.264 a packet without a picture is an error to FFmpeg: what is
    in it is put before the next one.
    """
    waits, held = decoder.name in _NEEDS_KEY, b""
    is_h264 = decoder.name == "h264"
    has_picture = picture_test(decoder.name, decoder.extradata or b"")
    for packet in packets:
        waits = waits and not packet.is_keyframe
        if waits:
            continue
        if is_h264 and not has_picture(memoryview(packet)):
            held += bytes(packet)
            continue
        if held and not packet.is_discard:  # which PyAV cannot set, and without it the frame would be shown
            packet, held = _with_before(held, packet), b""  # noqa: PLW2901
        yield packet


def decoded(packets: Iterator[Any], decoder: Any) -> Iterator[Any]:
    """Yield the frames of the packets of a video, and at their end those that the decoder holds back.

    Raises:
        av.FFmpegError: a packet does not decode.
    """
    for packet in decodable(packets, decoder):
        yield from decoder.decode(packet)
    if decoder.name == "h264":
        yield from _once_threads_are_done(decoder)
    yield from decoder.decode(None)


def _once_threads_are_done(decoder: Any) -> Iterator[Any]:
    """Give an H.264 decoder's threads nothing to do, one after the other, so that each ends what it was doing.

    Asked for its last frames before that, FFmpeg gives them out right, but does not mark those that are damaged.
    """
    delimiter = h264_delimiter(decoder.extradata or b"")
    before, decoder.skip_frame = decoder.skip_frame, "NONREF"  # a packet without a picture is then no error
    try:
        for _ in range(decoder.thread_count):
            yield from decoder.decode(_packet(delimiter))
    finally:
        decoder.skip_frame = before


def _with_before(data: bytes, packet: Any) -> Any:
    """Return a packet with data put before its own."""
    joined = _packet(data + bytes(packet))
    for name in ("stream", "time_base", "pts", "dts", "duration", "is_keyframe"):
        setattr(joined, name, getattr(packet, name))
    return joined


def _packet(data: bytes) -> Any:
    """Return a packet with a copy of data.

    `av.Packet(data)` would hold the bytes themselves. To let go of them a decoder's thread needs Python's lock,
    which whoever closes the decoder holds while it waits for that thread: neither would ever go on (PyAV 18).
    """
    packet = av.Packet(len(data))
    packet.update(data)
    return packet
