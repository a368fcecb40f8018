import numpy as np
import pytest
from conftest import Make, ffmpeg
from PIL import Image

from zoomvqa.data.frame_source import frame_source
from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameSampling


def test_a_folder_gives_the_same_frames_as_the_video(make_video: Make, tmp_path):
    video = make_video("source.mp4", frames=60)
    (tmp_path / "f").mkdir()
    ffmpeg("-i", video, "-r", "2", tmp_path / "f" / "%06d.png")
    from_video = frame_source(video, FrameSampling())
    from_folder = frame_source(tmp_path / "f", FrameSampling())
    np.testing.assert_array_equal(np.stack(list(from_video.frames())), np.stack(list(from_folder.frames())))
    assert from_video.indices == [0, 1, 11, 23, 36, 48]
    assert from_video.times == pytest.approx([i / 25 for i in from_video.indices])


def test_empty_folder(tmp_path):
    with pytest.raises(VideoError, match="no .png or .jpg picture"):
        frame_source(tmp_path, FrameSampling())


def test_picture_missing_in_the_count(tmp_path):
    for number in (1, 2, 4):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number:06d}.png")
    with pytest.raises(VideoError, match="pictures are missing.*3 between 000001 and 000004"):
        frame_source(tmp_path, FrameSampling())


def test_unpadded_numbers(tmp_path):
    for number in range(1, 12):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    frames = list(frame_source(tmp_path, FrameSampling()).frames())
    assert [int(frame[0, 0, 0]) for frame in frames] == list(range(1, 12))


def test_the_reader_is_the_one_that_read(make_video: Make, monkeypatch):
    def fail(_self, _indices):
        raise VideoError("decord gave up")
        yield

    monkeypatch.setattr("zoomvqa.video.decord_reader.DecordReader.read", fail)
    source = frame_source(make_video("source.mp4", frames=60), FrameSampling())
    assert source.reader == "decord"
    list(source.frames())
    assert source.reader == "pyav"


def test_damaged_picture(tmp_path):
    (tmp_path / "000001.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match="000001.png cannot be read"):
        list(frame_source(tmp_path, FrameSampling()).frames())
