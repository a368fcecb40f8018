"""Frames are counted as they are shown, and those that FFmpeg marks as corrupt are refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from conftest import H264, Make
from damage import garbled
from PIL import Image
from truth import decoded

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.container import main_video, open_container
from zoomvqa.video.counting import count_frames, first_of_plain
from zoomvqa.video.reader import Video
from zoomvqa.video.salvage import salvage


@pytest.mark.parametrize("reader", ["auto", "pyav"])
def test_corrupt_frames_are_refused(make_video: Make, tmp_path, reader):
    sound = make_video("counted.mp4", "-g", "10", size="320x240", frames=40, codec=H264)
    assert Video(sound).reader == "decord"
    path = garbled(sound, tmp_path, {10})
    with pytest.raises(DamagedError, match="frame 10 is damaged|frame 10 does not decode"):
        list(Video(path, reader).frames(range(40)))
    with pytest.raises(VideoError, match="decord is not known to read damaged, turned or interlaced pictures"):
        Video(path, "decord")
    store = salvage(path, 0.5)
    assert (len(store), store.damage) == (39, "damaged: 39 of 40 frames decode")
    most = garbled(sound, tmp_path, set(range(40)))
    for _ in range(3):  # each time the same
        with pytest.raises(VideoError, match=r"\b1 of 40 frames decode"):
            salvage(most, 0.1)


def camera_frames(folder: Path, orientation: int) -> Path:
    """Write a QuickTime file of JPEG pictures with Exif, as cameras make of time lapses."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    for number in range(6):
        column = np.arange(96) * 2 + number * 8
        picture = np.broadcast_to(column[None, :, None], (64, 96, 3)).astype(np.uint8).copy()
        picture[:20, :, 0] = 255
        Image.fromarray(picture).save(folder / f"{number}.jpg", quality=95, exif=exif)
    path = folder / f"exif_{orientation}.mov"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-framerate", "10", "-i",
               folder / "%d.jpg", "-c", "copy", path]  # fmt: skip
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize(("orientation", "shape"), [(1, (64, 96)), (6, (96, 64)), (3, (64, 96))])
def test_motion_jpeg_with_exif(tmp_path, orientation, shape):
    path = camera_frames(tmp_path, orientation)
    for reader in ("auto", "pyav"):
        frames = list(Video(path, reader).frames(range(6)))
        np.testing.assert_array_equal(frames, decoded(path, *shape))


def test_what_is_counted(make_video: Make):
    path = make_video("counted.mp4", "-g", "10", size="320x240", frames=40, codec=H264)
    with open_container(path) as container:
        count = count_frames(container, main_video(container))
    assert (len(count.times), count.whole, count.upright) == (40, True, True)
    assert (count.stored.packets, count.stored.failed, count.stored.broken) == (40, 0, False)


def test_what_another_decoder_may_read(make_video: Make, tmp_path):
    path = make_video("counted.mp4", "-g", "10", size="320x240", frames=40, codec=H264)
    first = first_of_plain(path, 40)
    assert len(first) == 32
    assert first_of_plain(path, 39) == ""
    assert first_of_plain(tmp_path / "none.mp4", 40) == ""
    changing = tmp_path / "changing.mp4"
    changing.write_bytes(path.read_bytes())
    assert first_of_plain(changing, 40) == first
    changing.write_bytes(path.read_bytes()[:-2000])  # what is remembered is of the file as it was
    assert first_of_plain(changing, 40) == ""


def test_a_colour_matrix_that_nobody_converts(make_video: Make):
    path = make_video("ycgco.mp4", frames=3, codec=(*H264, "-x264-params", "colormatrix=ycgco"))
    for reader in ("auto", "pyav"):
        with pytest.raises(VideoError, match=r"FFmpeg does not convert its pictures \(yuv420p, colour matrix 8"):
            list(Video(path, reader).frames([0]))
