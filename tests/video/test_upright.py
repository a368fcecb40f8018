"""Turned pictures, pixel by pixel as ffmpeg turns them."""

import gc
from itertools import islice

import av
import numpy as np
import pytest
from conftest import Make, ffmpeg
from truth import decoded

from zoomvqa.errors import VideoError
from zoomvqa.video.reader import Video
from zoomvqa.video.upright import Pictures

TURNS = {
    "90": ("-display_rotation", "90"),
    "180": ("-display_rotation", "180"),
    "270": ("-display_rotation", "270"),
    "mirrored": ("-display_hflip",),
    "upside_down": ("-display_vflip",),
    "90_mirrored": ("-display_rotation", "90", "-display_hflip"),
    "270_mirrored": ("-display_rotation", "270", "-display_hflip"),
}


def turned(make_video: Make, folder, *options: str, ending: str = "mp4"):
    path = folder / f"turned.{ending}"
    ffmpeg(*options, "-i", make_video("turning.mp4", size="192x144", frames=12), "-c", "copy", path)
    return path


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("name", TURNS)
def test_upright_as_ffmpeg(make_video: Make, tmp_path, name, ending):
    path = turned(make_video, tmp_path, *TURNS[name], ending=ending)
    truth = decoded(path, *((144, 192) if name[0] in "1mu" else (192, 144)))
    by_pyav = list(Video(path, "pyav").frames(range(12)))
    np.testing.assert_array_equal(by_pyav, truth)
    video = Video(path)
    np.testing.assert_array_equal(list(video.frames([0, 5, 11])), truth[[0, 5, 11]])
    assert video.reader == "pyav"
    with pytest.raises(VideoError, match="decord is not known to read damaged, turned or interlaced pictures"):
        Video(path, "decord")


@pytest.mark.parametrize("reader", ["auto", "pyav"])
@pytest.mark.parametrize("degrees", ["45", "-100"])
def test_an_angle_between(make_video: Make, tmp_path, degrees, reader):
    path = turned(make_video, tmp_path, "-display_rotation", degrees)
    with pytest.raises(VideoError, match=f"turned by {degrees} degrees; multiples of 90 are read"):
        list(Video(path, reader).frames([0]))


def test_nearly_a_right_angle(make_video: Make, tmp_path):
    path = turned(make_video, tmp_path, "-display_rotation", "90.5")
    np.testing.assert_array_equal(next(Video(path, "pyav").frames([3])), decoded(path, 192, 144)[3])


def test_frames_are_not_kept(make_video: Make, tmp_path):
    """What waits for Python to look for rings of references is memory that grows with a video."""
    path = turned(make_video, tmp_path, *TURNS["90"])

    def rings(frames: int) -> int:
        gc.collect()
        with av.open(str(path)) as container:
            pictures = Pictures()
            for frame in islice(container.decode(video=0), frames):
                pictures(frame)
        del container, pictures, frame
        return gc.collect()

    gc.disable()
    try:
        rings(1)
        assert rings(12) == rings(2)
    finally:
        gc.enable()
