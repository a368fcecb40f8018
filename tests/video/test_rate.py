"""The frame selection against ffmpeg itself: the pictures that `ffmpeg -r` writes are the judge."""

import hashlib
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import Make, ffmpeg
from decoded_timeline import decoded_timeline
from matrix import make, names
from rate_files import FILES, QUICK, SLOW, SOURCES, written

from zoomvqa.video.rate import frames_at_rate
from zoomvqa.video.read_timeline import read_timeline
from zoomvqa.video.timeline import Timeline


def constant(frames: int, rate: str) -> Timeline:
    """A timeline of `frames` frames at a constant rate."""
    pts, durations = tuple(range(frames)), (1,) * frames
    return Timeline(pts, durations, 1 / Fraction(rate), 0, 1, 64, 64, "mov", "h264", open_gop=False, hidden=0)


@pytest.mark.parametrize(
    ("rate", "start"),
    [
        ("30000/1001", [0, 1, 13, 28, 43, 58]),
        ("25", [0, 1, 11, 23, 36, 48]),
        ("24000/1001", [0, 1, 10, 22, 34]),
        ("10", [0, 1, 4, 9, 14]),
    ],
)
def test_known_starts(rate, start):
    assert frames_at_rate(constant(240, rate), 2.0)[: len(start)] == start


def test_ten_seconds_at_30_fps_gives_22_frames():
    assert len(frames_at_rate(constant(300, "30"), 2.0)) == 22


def test_one_frame():
    assert frames_at_rate(constant(1, "30"), 2.0) == [0]


def test_refuses_a_rate_of_zero():
    with pytest.raises(ValueError, match="above 0"):
        frames_at_rate(constant(1, "30"), 0.0)


def pictures(folder: Path, video: Path, *options: str) -> list[str]:
    """Checksums of the pictures ffmpeg writes."""
    folder.mkdir()
    ffmpeg("-i", video, *options, folder / "%06d.bmp")
    return [hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())]


CONSTANT = [
    "1/3",
    "1",
    "3",
    "5",
    "8",
    "12",
    "25/2",
    "15",
    "20",
    "24000/1001",
    "25",
    "30",
    "50",
    "60000/1001",
    "120",
]


@pytest.mark.parametrize("rate", CONSTANT)
@pytest.mark.parametrize("wanted", ["2", "1", "5/2"])
def test_constant_rates_as_ffmpeg(make_video: Make, tmp_path, rate, wanted):
    video = make_video(f"rate_{rate.replace('/', '_')}.mp4", size="192x144", rate=rate, frames=61)
    check(video, tmp_path, wanted)


def check(video: Path, folder: Path, rate: str) -> None:
    every = pictures(folder / "all", video, "-fps_mode", "passthrough")
    chosen = pictures(folder / "chosen", video, "-r", rate)
    timeline = read_timeline(video)
    assert len(timeline) == len(every)
    assert [every[i] for i in frames_at_rate(timeline, float(Fraction(rate)))] == chosen


ODD = {
    "variable.mp4": (
        "-t",
        "6",
        "-vf",
        r"select='not(mod(n\,3))+lt(mod(n\,50)\,20)'",
        "-fps_mode",
        "vfr",
        "-bf",
        "2",
    ),
    "gap.mp4": ("-t", "6", "-vf", r"select='lt(n\,20)+gt(n\,100)'", "-fps_mode", "vfr", "-bf", "2"),
    "late_alone.mkv": ("-t", "3", "-vf", "setpts=PTS+0.7/TB"),
    "bframes.mkv": ("-t", "4", "-bf", "3"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_timestamps_as_ffmpeg(make_video: Make, tmp_path, name):
    codec = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
    video = make_video(name, *ODD[name], size="192x144", rate="30", frames=999, codec=codec)
    check(video, tmp_path, "2")


def test_video_that_starts_after_its_sound(make_video: Make, tmp_path):
    video = make_video(
        "late.mp4",
        *("-vf", "setpts=PTS+0.7/TB", "-t", "4", "-c:a", "aac"),
        size="192x144",
        rate="30",
        frames=999,
        inputs=("-f", "lavfi", "-i", "sine"),
    )
    check(video, tmp_path, "2")


def test_vp9_in_webm(make_video: Make, tmp_path):
    codec = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    check(make_video("a.webm", size="192x144", rate="30", frames=61, codec=codec), tmp_path, "2")


def test_reference_video(reference, tmp_path):
    check(reference / "media" / "10053703034.mp4", tmp_path, "2")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rates")


@pytest.mark.parametrize("name", names(QUICK, SLOW))
def test_frames_at_rates_as_ffmpeg(folder, name):
    """Compare with times from decoding, and with those that are read without it."""
    path = make(folder, name, FILES[name], SOURCES)
    truth = written(path)
    assert truth.unlike(decoded_timeline(path)) == {}
    assert truth.unlike(read_timeline(path)) == {}


def test_the_end_is_filled_up_after_gaps():
    """Frames three periods apart that say to stay one: the last is repeated as often as those before it were."""
    line = constant(4, "1").at([0, 3, 6, 9], [1, 1, 1, 1])
    assert frames_at_rate(line, 1.0) == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_a_frame_that_would_fill_a_day_is_left_out():
    line = constant(3, "1").at([0, 1, 400_000], [1, 1, 1])
    assert frames_at_rate(line, 1.0) == [0, 1]
