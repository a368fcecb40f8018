"""Frames against ffmpeg's own decoding, pixel by pixel."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import Make, ffmpeg
from truth import decoded

from zoomvqa.errors import VideoError
from zoomvqa.video.reader import Video

X265 = ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=10:open-gop=1:bframes=3", "-pix_fmt", "yuv420p")
CASES = {
    "h264.mp4": {"size": "192x144", "frames": 50},
    "odd.mp4": {"size": "161x97", "codec": ("-c:v", "libx264", "-pix_fmt", "yuv444p")},
    "portrait.mp4": {"size": "128x256"},
    "one.mp4": {"frames": 1},
    "tiny.mp4": {"size": "16x16"},
    "narrow.mp4": {"size": "48x48"},
    "ten_bit.mp4": {"codec": ("-c:v", "libx264", "-pix_fmt", "yuv420p10le")},
    "open_gop.mp4": {"size": "192x144", "frames": 60, "codec": X265},
    "mpeg4.avi": {"codec": ("-c:v", "mpeg4", "-q:v", "3")},
    "a.ts": {"codec": ("-c:v", "mpeg2video", "-q:v", "3")},
    "av1.mp4": {"codec": ("-c:v", "libsvtav1", "-preset", "10")},
    "loop.gif": {"codec": ()},
}


@pytest.mark.parametrize("reader", ["auto", "pyav"])
@pytest.mark.parametrize("name", CASES)
def test_frames_as_ffmpeg(make_video: Make, name, reader):
    video = Video(make_video(name, **CASES[name]), reader)
    truth = decoded(video.path, video.timeline.height, video.timeline.width)
    assert len(video) == len(truth)
    assert video.note == ""
    indices = sorted({0, len(video) // 3, len(video) // 2, len(video) - 1})
    frames = np.stack(list(video.frames(indices)))
    np.testing.assert_array_equal(frames, truth[indices])


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("reader", ["auto", "pyav"])
def test_rotation(make_video: Make, tmp_path, degrees, reader):
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", degrees, "-i", make_video("h264.mp4", **CASES["h264.mp4"]), "-c", "copy", turned)
    frame = next(Video(turned, reader).frames([0]))
    height, width = (192, 144) if degrees != 180 else (144, 192)
    truth = decoded(turned, height, width)[0]
    assert frame.shape == truth.shape
    np.testing.assert_array_equal(frame, truth)


def test_edit_list(make_video: Make, tmp_path):
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "1.0", "-i", make_video("whole.mp4", "-g", "60", frames=60), "-c", "copy", cut)
    video = Video(cut)
    truth = decoded(cut, 96, 160)
    assert len(truth) == len(video)
    assert video.reader == "pyav"
    np.testing.assert_array_equal(np.stack(list(video.frames([0, 20, 34]))), truth[[0, 20, 34]])


def test_repeated_indices(make_video: Make):
    video = Video(make_video("h264.mp4", **CASES["h264.mp4"]))
    frames = list(video.frames([0, 0, 3, 3, 3]))
    assert len(frames) == 5
    np.testing.assert_array_equal(frames[2], frames[4])


def test_twice(make_video: Make):
    video = Video(make_video("h264.mp4", **CASES["h264.mp4"]))
    first, second = list(video.frames([5, 9])), list(video.frames([5, 9]))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("indices", [[], [3, 1], [-1], [10_000]])
def test_impossible_indices(make_video: Make, indices):
    with pytest.raises(ValueError, match="sorted and within"):
        list(Video(make_video("h264.mp4", **CASES["h264.mp4"])).frames(indices))


def test_decord_alone_says_what_it_cannot_do(make_video: Make):
    with pytest.raises(VideoError, match="av1.*reader=auto"):
        Video(make_video("av1.mp4", **CASES["av1.mp4"]), "decord")


def test_more_frames_than_decord_may_hold_go_to_pyav(make_video: Make, monkeypatch):
    path = make_video("h264.mp4", **CASES["h264.mp4"])
    frames = len(Video(path))
    size = frames * 144 * 192 * 3
    monkeypatch.setattr("zoomvqa.video.decord_reader._MOST_AHEAD", size)
    assert Video(path).reader == "decord"
    monkeypatch.setattr("zoomvqa.video.decord_reader._MOST_AHEAD", size - 1)
    video = Video(path)
    assert video.reader == "pyav"
    np.testing.assert_array_equal(np.stack(list(video.frames(range(frames)))), decoded(path, 144, 192))
    assert Video(path, "decord").reader == "decord"


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["auto", "pyav"])
def test_memory_does_not_grow_with_a_video(make_video: Make, reader):
    """Where frames are taken slowly, none are heaped up: 600 frames of 720p would be 1.7 GB."""
    path = make_video("long.mp4", size="1280x720", frames=600, rate="60")
    code = """if True:
        import resource, sys, time
        from pathlib import Path
        from zoomvqa.video.reader import Video
        held = []
        for number, _ in enumerate(Video(Path(sys.argv[1]), sys.argv[2]).frames(range(600))):
            time.sleep(0.002)
            if number in (50, 599):
                held.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        print(*held)"""
    run = subprocess.run([sys.executable, "-c", code, path, reader], capture_output=True, text=True, check=True)
    before, after = map(int, run.stdout.split())
    assert after - before < 60_000  # kB


def test_goes_over_to_pyav_where_decord_fails(make_video: Make, monkeypatch):
    path = make_video("h264.mp4", **CASES["h264.mp4"])
    truth = decoded(path, 144, 192)

    def fail_after_one(_self, indices):
        yield truth[indices[0]]
        raise VideoError("decord gave up")

    monkeypatch.setattr("zoomvqa.video.decord_reader.DecordReader.read", fail_after_one)
    video = Video(path)
    np.testing.assert_array_equal(np.stack(list(video.frames([2, 7, 30]))), truth[[2, 7, 30]])
    assert video.reader == "pyav"
    with pytest.raises(VideoError, match="gave up"):
        list(Video(path, "decord").frames([2, 7, 30]))


def test_damage_in_the_middle_is_an_error_or_whole(make_video: Make, tmp_path):
    data = bytearray(make_video("big.mp4", size="192x144", frames=100).read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = b"\x00" * 4000
    path = tmp_path / "damaged.mp4"
    path.write_bytes(bytes(data))
    try:
        frames = list(Video(path).frames([0, 99]))
    except VideoError as error:
        assert str(error)  # noqa: PT017  either outcome is right, a crash or a hang is not
    else:
        assert len(frames) == 2
