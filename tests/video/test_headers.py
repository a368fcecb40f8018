"""What containers say in their headers: cropping, encryption, sample descriptions, lengths."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from conftest import H264, Make, ffmpeg
from truth import decoded

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.headers import NO_CROP, Crop, track_header
from zoomvqa.video.reader import Video

KEY = ("-encryption_key", "76" * 16, "-encryption_kid", "a7" * 16)


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def movie(*entries: bytes, track: int = 7, before: bytes = b"") -> bytes:
    """An MP4 header with a track of some sample descriptions."""
    header = box(b"tkhd", bytes(12), struct.pack(">I", track), bytes(68))
    table = box(b"stsd", struct.pack(">II", 0, len(entries)), *entries)
    media = box(b"mdia", box(b"minf", box(b"stbl", table)))
    other = box(b"trak", box(b"tkhd", bytes(12), struct.pack(">I", track + 1), bytes(68)))
    return before + box(b"ftyp", b"isom") + box(b"moov", other, box(b"trak", header, media))


def entry(kind: bytes, width: int, height: int, *boxes: bytes) -> bytes:
    return box(kind, bytes(24), struct.pack(">HH", width, height), bytes(50), *boxes)


def clap(*numbers: int) -> bytes:
    return box(b"clap", struct.pack(">IIIIiIiI", *numbers))


def found(tmp_path: Path, data: bytes, container: str = "mov,mp4,m4a"):
    (tmp_path / "header").write_bytes(data)
    return track_header(tmp_path / "header", container, 7, 0)


@pytest.mark.parametrize(
    ("numbers", "crop"),
    [
        ((192, 1, 144, 1, 0, 1, 0, 1), Crop(64, 48, 64, 48)),
        ((640, 2, 240, 1, 0, 1, 0, 1), NO_CROP),
        ((300, 1, 240, 1, 10, 1, 0, 1), Crop(20, 0, 0, 0)),
        ((300, 1, 220, 1, -10, 1, -10, 1), Crop(0, 0, 20, 20)),
        ((400, 1, 240, 1, 0, 1, 0, 1), NO_CROP),  # larger than the picture
        ((100, 1, 100, 1, 5000, 1, 0, 1), NO_CROP),  # beside the picture
        ((192, 0, 144, 1, 0, 1, 0, 1), NO_CROP),
    ],
)
def test_clean_aperture(tmp_path, numbers, crop):
    header = found(tmp_path, movie(entry(b"avc1", 320, 240, box(b"avcC", bytes(9)), clap(*numbers))))
    assert (header.crop, header.descriptions, header.encrypted) == (crop, 1, False)


def test_sample_descriptions(tmp_path):
    several = movie(entry(b"avc1", 320, 136), entry(b"avc1", 160, 96))
    assert found(tmp_path, several).descriptions == 2
    assert found(tmp_path, movie(entry(b"encv", 320, 136))).encrypted
    assert found(tmp_path, movie(entry(b"avc1", 32, 32), before=struct.pack(">I4sQ", 1, b"free", 16))) == (
        NO_CROP, 1, False, 0.0
    )  # fmt: skip


@pytest.mark.parametrize("container", ["mov,mp4", "matroska,webm", "asf", "avi"])
def test_damaged_headers_say_nothing(tmp_path, container):
    whole = movie(entry(b"avc1", 320, 240, clap(192, 1, 144, 1, 0, 1, 0, 1)))
    for data in (b"", b"\0" * 40, whole[:30], whole[:-60], b"\xff" * 64, b"\x1a\x45\xdf\xa3" + b"\x01" * 30):
        assert found(tmp_path, data, container)[:3] in {(NO_CROP, 1, False), (Crop(64, 48, 64, 48), 1, False)}


def test_encrypted(make_video: Make, tmp_path):
    path = tmp_path / "encrypted.mp4"
    ffmpeg("-i", make_video("e.mp4", frames=6, codec=H264), "-c", "copy", "-encryption_scheme", "cenc-aes-ctr",
           *KEY, path)  # fmt: skip
    with pytest.raises(VideoError, match="its video is encrypted"):
        Video(path)


@pytest.mark.parametrize("name", ["a.webm", "a.wmv", "a.flv", "sidx.mp4"])
def test_lengths(make_video: Make, tmp_path, name):
    """A file that is cut where a packet ends decodes without a complaint: only its header tells."""
    codec = {
        "a.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
        "a.wmv": ("-c:v", "wmv2", "-q:v", "3"),
        "sidx.mp4": (*H264, "-g", "10", "-movflags", "frag_keyframe+empty_moov+default_base_moof+global_sidx"),
    }.get(name, H264)
    whole = make_video(f"length_{name}", frames=75, codec=codec)
    data = whole.read_bytes().replace(b"DURATION", b"XURATION")  # the tag of a stream tells it, too
    assert len(Video(whole)) == 75
    path = tmp_path / name
    for share in (0.2, 0.21, 0.3, 0.5, 0.7):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DamagedError):
            Video(path)


def test_a_video_that_ends_before_its_sound_is_whole(make_video: Make, tmp_path):
    video = make_video("one_second.mp4", frames=25, codec=H264)
    for name in ("a.mkv", "a.flv", "a.mp4", "a.avi"):
        path = tmp_path / name
        sound = ("-f", "lavfi", "-i", "sine=duration=4", "-map", "0", "-map", "1", "-c:v", "copy")
        ffmpeg("-i", video, *sound, "-ar", "44100", path)
        if name == "a.mkv":
            path.write_bytes(path.read_bytes().replace(b"DURATION", b"XURATION"))
        np.testing.assert_array_equal(list(Video(path).frames([0, 24])), decoded(path, 96, 160)[[0, 24]])
