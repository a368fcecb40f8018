from pathlib import Path

import numpy as np
import pytest
from conftest import Make, ffmpeg
from PIL import Image

from zoomvqa.errors import UserError, VideoError
from zoomvqa.video.export import export_all, export_frames


def pictures(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(p)) for p in sorted(folder.glob("*.png"))]


@pytest.mark.parametrize("rate", [2, 5])
def test_the_same_pictures_as_ffmpeg(make_video: Make, tmp_path, rate):
    video = make_video("export.mp4", frames=80, rate="30000/1001")
    (tmp_path / "theirs").mkdir()
    ffmpeg("-i", video, "-r", rate, tmp_path / "theirs" / "%06d.png")
    assert export_frames(video, tmp_path / "ours", rate) == len(pictures(tmp_path / "theirs"))
    assert min(p.name for p in (tmp_path / "ours").glob("*.png")) == "000001.png"
    for a, b in zip(pictures(tmp_path / "ours"), pictures(tmp_path / "theirs"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_video_that_breaks_leaves_no_folder(make_video: Make, tmp_path, monkeypatch):
    def fail(_self, _indices):
        yield np.zeros((8, 8, 3), dtype=np.uint8)
        raise VideoError("broken")

    monkeypatch.setattr("zoomvqa.video.reader.Video.frames", fail)
    with pytest.raises(VideoError, match="broken"):
        export_frames(make_video("export.mp4", frames=80, rate="30000/1001"), tmp_path / "x", 2)
    assert list(tmp_path.iterdir()) == []


def test_many_with_a_bad_one_and_again(make_video: Make, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    videos = [make_video("export.mp4", frames=80, rate="30000/1001"), bad]
    results = export_all(videos, tmp_path / "out", 2, workers=2, reader="auto")
    assert [r.pictures > 0 for r in results] == [True, False]
    assert "not a readable video" in results[1].error
    stamp = (tmp_path / "out" / "export").stat().st_mtime_ns
    again = export_all(videos, tmp_path / "out", 2, workers=2, reader="auto")
    assert again[0].pictures == results[0].pictures
    assert (tmp_path / "out" / "export").stat().st_mtime_ns == stamp


def test_another_rate_is_made_anew(make_video: Make, tmp_path):
    video = make_video("export.mp4", frames=80, rate="30000/1001")
    few = export_frames(video, tmp_path / "x", 2)
    many = export_frames(video, tmp_path / "x", 10)
    assert many > few
    assert len(pictures(tmp_path / "x")) == many


def test_a_folder_of_somebody_else_is_left_alone(make_video: Make, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine.png").touch()
    with pytest.raises(VideoError, match="is in the way"):
        export_frames(make_video("export.mp4", frames=80, rate="30000/1001"), tmp_path / "x", 2)
    assert (tmp_path / "x" / "mine.png").exists()


def test_two_videos_of_one_name(tmp_path):
    with pytest.raises(UserError, match="several videos are named a"):
        export_all([tmp_path / "a.mp4", tmp_path / "sub" / "a.mkv"], tmp_path / "out", 2, 1, "auto")
