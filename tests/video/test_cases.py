"""The readers' table, case by case: frames against ffmpeg's own decoding, or the text of the error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Make, ffmpeg
from truth import decoded, decoded_bytes

from zoomvqa.errors import VideoError
from zoomvqa.video.container import main_video, open_container, packets_of
from zoomvqa.video.reader import Video

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
HDR = ("-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "smpte2084")
FAST_VPX = ("-deadline", "realtime", "-cpu-used", "8")
ALPHA = "format=yuva420p,geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':a='X'"
# File, what decodes it, options, codec.
CASES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "full_range.mp4": ("decord", ("-vf", "scale=out_range=full"), (*H264, "-color_range", "pc")),
    "422_ten_bit.mp4": ("pyav", (), (*H264, "-pix_fmt", "yuv422p10le")),
    "444_odd.mp4": ("decord", ("-vf", "crop=151:91:0:0"), (*H264, "-pix_fmt", "yuv444p")),
    "hdr.mp4": ("pyav", (), (*X265, "-pix_fmt", "yuv420p10le", *HDR)),
    "interlaced.mp4": ("pyav", ("-vf", "interlace", "-flags", "+ildct+ilme"), (*H264, "-pix_fmt", "yuv420p")),
    "alpha.webm": ("decord", ("-vf", ALPHA), ("-c:v", "libvpx-vp9", *FAST_VPX, "-pix_fmt", "yuva420p")),
    "420_odd.webm": ("pyav", ("-vf", "scale=161:97"), ("-c:v", "libvpx-vp9", *FAST_VPX, "-pix_fmt", "yuv420p")),
    "vp8.webm": ("pyav", (), ("-c:v", "libvpx", *FAST_VPX)),
    "hidden_frames.webm": ("decord", (), ("-c:v", "libvpx-vp9", "-auto-alt-ref", "1", "-cpu-used", "8")),
    "b_frames.avi": ("pyav", (), ("-c:v", "mpeg4", "-q:v", "3", "-bf", "2")),
    "mjpeg.avi": ("pyav", (), ("-c:v", "mjpeg", "-q:v", "3")),
    "prores.mov": ("pyav", (), ("-c:v", "prores_ks")),
    "ffv1.mkv": ("pyav", (), ("-c:v", "ffv1")),
    "h264.flv": ("pyav", (), (*H264, "-pix_fmt", "yuv420p")),
    "wmv2.wmv": ("pyav", (), ("-c:v", "wmv2", "-q:v", "3")),
    "unicode ö ' 視頻.mp4": ("decord", (), (*H264, "-pix_fmt", "yuv420p")),
    "h264.ts": ("pyav", (), (*H264, "-pix_fmt", "yuv420p")),
    "mpeg2.mpg": ("pyav", (), ("-c:v", "mpeg2video", "-q:v", "3", "-bf", "2")),
    "theora.ogv": ("pyav", (), ("-c:v", "libtheora", "-q:v", "7")),
    "raw.h264": ("pyav", (), (*H264, "-pix_fmt", "yuv420p")),
    "moving.apng": ("pyav", (), ("-f", "apng")),
}


@pytest.mark.parametrize("reader", ["auto", "pyav"])
@pytest.mark.parametrize("name", CASES)
def test_frames_are_ffmpegs(make_video: Make, name, reader):
    expected, options, codec = CASES[name]
    path = make_video(name, *options, frames=12, codec=codec)
    check(path, reader, expected if reader == "auto" else "pyav")


def check(path: Path, reader: str, used: str) -> None:
    """Compare all frames in sequence, and a few alone."""
    video = Video(path, reader)
    frames = list(video.frames(range(len(video))))
    truth = decoded(path, *frames[0].shape[:2])
    assert len(video) == len(truth)
    assert video.reader == used
    few = sorted({0, len(truth) // 2, len(truth) - 1})
    alone = list(Video(path, reader).frames(few))
    for index, frame in [*enumerate(frames), *zip(few, alone, strict=True)]:
        distance = np.abs(truth.astype(int) - frame).mean(axis=(1, 2, 3))
        assert distance[index] == 0
        assert distance.argmin() == index


def test_8k(make_video: Make):
    path = make_video("8k.mp4", size="7680x4320", frames=2, picture="smptehdbars")
    video = Video(path)
    truth = decoded(path, 4320, 7680)
    for frame, expected in zip(video.frames([0, 1]), truth, strict=True):
        assert np.array_equal(frame, expected)


# The timestamps of a sound file made equal, missing and negative.
TIMES = {
    "equal.mp4": ("-bsf:v", "setts=pts=floor(PTS/1024)*1024:dts=DTS"),
    "equal.mkv": ("-bsf:v", "setts=pts=floor(PTS/1024)*1024:dts=DTS"),
    "equal.ts": ("-bsf:v", "setts=pts=floor(PTS/1024)*1024:dts=DTS"),
    "missing.mkv": ("-avoid_negative_ts", "disabled", "-bsf:v", "setts=ts=TS-4000"),
}


@pytest.mark.parametrize("name", TIMES)
def test_timestamps(make_video: Make, tmp_path, name):
    sound = make_video("timed.mp4", frames=24, codec=(*H264, "-pix_fmt", "yuv420p"))
    ffmpeg("-i", sound, "-c", "copy", *TIMES[name], tmp_path / name)
    check(tmp_path / name, "auto", "pyav")


def test_a_recording_that_begins_within_a_group_of_pictures(make_video: Make, tmp_path):
    params = "log-level=none:keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3"
    codec = ("-c:v", "libx265", "-x265-params", params, "-pix_fmt", "yuv420p")
    data = make_video("whole.ts", frames=40, codec=codec).read_bytes()
    path = tmp_path / "begun.ts"
    path.write_bytes(data[: 3 * 188] + data[len(data) // 3 // 188 * 188 :])
    check(path, "auto", "pyav")  # what needs frames that are not there is not shown
    with open_container(path) as container:
        assert sum(1 for _ in packets_of(container, main_video(container))) > len(Video(path))


def test_several_streams(make_video: Make, tmp_path):
    small, large = make_video("small.mp4", size="96x64", frames=12), make_video("larger.mp4", frames=24)
    ffmpeg("-i", large, "-frames:v", "1", tmp_path / "cover.png")
    cover = ("-i", tmp_path / "cover.png", "-map", "0", "-map", "1", "-c", "copy")
    both = ("-i", small, "-i", large, "-c", "copy")
    marked = ("-disposition:v:0", "default", "-disposition:v:1", "0")
    ffmpeg(*both, "-map", "0", "-map", "1", *marked, tmp_path / "marked.mkv")
    ffmpeg(*both, "-map", "0", "-map", "1", "-disposition", "0", tmp_path / "larger.mkv")
    ffmpeg("-i", small, *cover, "-disposition:v:1", "attached_pic", tmp_path / "cover.mp4")
    preview = ("-i", tmp_path / "cover.png", "-i", small, "-map", "0", "-map", "1", "-c:v:0", "mjpeg")
    ffmpeg(*preview, "-c:v:1", "copy", "-disposition", "0", tmp_path / "preview.mp4")
    found = {path.name: Video(path) for path in sorted(tmp_path.glob("*.m*"))}
    sizes = {name: (len(v), *next(v.frames([0])).shape[:2]) for name, v in found.items()}
    of_small, of_large = (12, 64, 96), (24, 96, 160)
    assert sizes == {
        "cover.mp4": of_small, "larger.mkv": of_large, "marked.mkv": of_small, "preview.mp4": of_small,
    }  # fmt: skip
    for name in ("marked.mkv", "larger.mkv"):  # as ffmpeg chooses; it takes previews for videos
        check(tmp_path / name, "auto", "pyav")
    with pytest.raises(VideoError, match="decord is not known to read a file with several videos right"):
        Video(tmp_path / "larger.mkv", "decord")


def test_sound_with_a_cover_is_no_video(make_video: Make, tmp_path):
    ffmpeg("-i", make_video("small.mp4", size="96x64", frames=12), "-frames:v", "1", tmp_path / "cover.png")
    sound = ("-f", "lavfi", "-i", "sine", "-i", tmp_path / "cover.png", "-map", "0", "-map", "1", "-t", "1")
    for name in ("sound.m4a", "sound.mp3"):
        ffmpeg(*sound, "-c:v", "copy", "-disposition:v:0", "attached_pic", tmp_path / name)
        with pytest.raises(VideoError, match="no video stream in it, only a still picture, audio"):
            Video(tmp_path / name)


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "hevc.mp4", "vp8.webm", "vp9.webm", "mjpeg.avi"])
def test_a_size_that_changes_midway(make_video: Make, tmp_path, name):
    codec = name.split(".")[0]
    encoder = {"h264": H264[:4], "hevc": X265, "mjpeg": ("-c:v", "mjpeg")}.get(codec) or (
        "-c:v", {"vp8": "libvpx", "vp9": "libvpx-vp9"}[codec], *FAST_VPX)  # fmt: skip
    raw = {"h264": "h264", "hevc": "hevc", "mjpeg": "mjpeg"}.get(codec, "webm")
    parts = [
        make_video(
            f"{codec}{size}.{raw}", "-bf", "0", size=size, frames=8, codec=(*encoder, "-pix_fmt", "yuv420p")
        )
        for size in ("160x96", "192x144")
    ]
    path = tmp_path / name
    if raw == "webm":
        (tmp_path / "list").write_text("".join(f"file '{part}'\n" for part in parts))
        ffmpeg("-f", "concat", "-safe", "0", "-i", tmp_path / "list", "-c", "copy", path)
    else:
        (tmp_path / "joined").write_bytes(b"".join(part.read_bytes() for part in parts))
        ffmpeg("-r", "25", "-f", raw, "-i", tmp_path / "joined", "-c", "copy", path)
    video = Video(path)
    frames = list(video.frames(range(len(video))))
    assert video.reader == "pyav"
    assert {frame.shape for frame in frames} == {(96, 160, 3), (144, 192, 3)}
    assert b"".join(frame.tobytes() for frame in frames) == decoded_bytes(path)
    with pytest.raises(VideoError, match="decord is not known to read .* right"):
        Video(path, "decord")
