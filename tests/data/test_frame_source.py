import os

import numpy as np
import pytest
from conftest import Make, ffmpeg
from PIL import Image

from zoomvqa.data.frame_source import FrameChoice, PictureFolder, chosen_frames, open_store
from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameSampling


def test_a_folder_gives_the_same_frames_as_the_video(make_video: Make, tmp_path):
    video = make_video("source.mp4", frames=60)
    (tmp_path / "f").mkdir()
    ffmpeg("-i", video, "-r", "2", tmp_path / "f" / "%06d.png")
    from_video, from_folder = (np.stack(list(chosen_frames(p, FrameSampling()))) for p in (video, tmp_path / "f"))
    np.testing.assert_array_equal(from_video, from_folder)
    choice = FrameChoice(open_store(video), FrameSampling())
    assert choice.wanted == [0, 1, 11, 23, 36, 48]
    assert choice.times == pytest.approx([i / 25 for i in choice.wanted])
    assert FrameChoice(open_store(tmp_path / "f"), FrameSampling()).times == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]


def test_empty_folder(tmp_path):
    with pytest.raises(VideoError, match="no .png or .jpg picture"):
        PictureFolder(tmp_path)


def test_picture_missing_in_the_count(tmp_path):
    for number in (1, 2, 4):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number:06d}.png")
    with pytest.raises(VideoError, match="pictures are missing.*3 between 000001 and 000004"):
        PictureFolder(tmp_path)


def test_unpadded_numbers(tmp_path):
    for number in range(1, 12):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    frames = list(chosen_frames(tmp_path, FrameSampling()))
    assert [int(frame[0, 0, 0]) for frame in frames] == list(range(1, 12))


def test_the_reader_is_the_one_that_read(make_video: Make, monkeypatch):
    def fail(_self, _indices):
        raise VideoError("decord gave up")
        yield

    monkeypatch.setattr("zoomvqa.video.decord_reader.DecordReader.read", fail)
    source = open_store(make_video("source.mp4", frames=60))
    assert source.reader == "decord"
    list(source.frames([0, 1]))
    assert source.reader == "pyav"


def test_damaged_picture(tmp_path):
    (tmp_path / "000001.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match="000001.png cannot be read"):
        list(chosen_frames(tmp_path, FrameSampling()))


def test_pipes_among_pictures_are_none(tmp_path):
    os.mkfifo(tmp_path / "1.png")
    with pytest.raises(VideoError, match=r"there is no \.png or \.jpg picture"):
        open_store(tmp_path)
