import os

import numpy as np
import pytest
from conftest import Make, ffmpeg
from PIL import Image

from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameSampling
from zoomvqa.views.samplings import FrameRate
from zoomvqa.views.store import PictureFolder, open_for_parts, open_store


def chosen_frames(path):
    store = open_store(path)
    return store.frames(FrameRate(FrameSampling()).choose(store)[:, 0].tolist())


def test_a_folder_gives_the_same_frames_as_the_video(make_video: Make, tmp_path):
    video = make_video("source.mp4", frames=60)
    (tmp_path / "f").mkdir()
    ffmpeg("-i", video, "-r", "2", tmp_path / "f" / "%06d.png")
    from_video, from_folder = (np.stack(list(chosen_frames(p))) for p in (video, tmp_path / "f"))
    np.testing.assert_array_equal(from_video, from_folder)
    sampling, store, folder = FrameRate(FrameSampling()), open_store(video), open_store(tmp_path / "f")
    chosen = sampling.choose(store)[:, 0].tolist()
    assert chosen == [0, 1, 11, 23, 36, 48]
    assert [sampling.seconds(store, i) for i in chosen] == pytest.approx([i / 25 for i in chosen])
    assert [sampling.seconds(folder, int(i)) for (i,) in sampling.choose(folder)] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]


def test_a_folder_where_clips_are_cut(tmp_path):
    with pytest.raises(VideoError, match="a folder of pictures; clips need the video itself"):
        open_for_parts(tmp_path, folders=False)


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
    frames = list(chosen_frames(tmp_path))
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
        list(chosen_frames(tmp_path))


def test_pipes_among_pictures_are_none(tmp_path):
    os.mkfifo(tmp_path / "1.png")
    with pytest.raises(VideoError, match=r"there is no \.png or \.jpg picture"):
        open_store(tmp_path)
