"""Raw YUV files."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from zoomvqa.errors import VideoError
from zoomvqa.video.raw_reader import raw_format
from zoomvqa.video.reader import Video

FORMAT = "raw:64x48@12.5"


@pytest.fixture
def raw(tmp_path):
    """Ten frames, raw, and the RGB that ffmpeg makes of them."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
    path, rgb = tmp_path / "v.yuv", tmp_path / "v.rgb"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10", "-frames:v", "10", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, *source, "-f", "rawvideo", str(path)], check=True)
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "64x48", "-i", str(path)]
    subprocess.run([*command, *raw, "-f", "rawvideo", "-pix_fmt", "rgb24", str(rgb)], check=True)
    return path, np.fromfile(rgb, np.uint8).reshape(10, 48, 64, 3)


def test_frames_are_ffmpegs(raw):
    path, expected = raw
    video = Video(path, FORMAT)
    assert (len(video), video.reader, video.timeline.seconds(5)) == (10, "raw", 0.4)
    for index, frame in zip([0, 3, 3, 9], video.frames([0, 3, 3, 9]), strict=True):
        assert np.abs(frame.astype(int) - expected[index]).max() <= 1


def test_other_files_are_read_as_ever(make_video):
    assert Video(make_video("v.mp4", frames=5), FORMAT).reader in {"decord", "pyav"}


def test_refusals(raw, tmp_path):
    path, _ = raw
    with pytest.raises(VideoError, match="does not tell its size and rate; give reader=raw:1920x1080@30"):
        Video(path)
    with pytest.raises(VideoError, match="46080 bytes are no whole number of 66×48 frames, 4752 each"):
        Video(path, "raw:66x48@30")
    (tmp_path / "empty.yuv").touch()
    with pytest.raises(VideoError, match="its 0 bytes"):
        Video(tmp_path / "empty.yuv", FORMAT)
    with pytest.raises(VideoError, match="cannot be read"):
        Video(tmp_path / "no.yuv", FORMAT)
    video = Video(path, FORMAT)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(VideoError, match="frame 1 is not there any more"):
        list(video.frames([0, 1]))


@pytest.mark.parametrize("name", ["raw:65x48@30", "raw:0x48@30", "raw:64x48@0"])
def test_impossible_formats(name):
    with pytest.raises(ValueError, match="must be even"):
        raw_format(name)


def test_what_is_no_raw_format():
    assert raw_format("auto") is None
    assert raw_format("raw:64x48") is None
