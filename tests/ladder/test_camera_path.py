"""Motion that is drawn against motion that is known."""

import math
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from zoomvqa.errors import VideoError
from zoomvqa.ladder.camera_path import CameraPath, draw, film
from zoomvqa.video.read_timeline import read_timeline

WIDTH, HEIGHT = 200, 160


def save(path: Path, picture: np.ndarray) -> Path:
    Image.fromarray(picture.round().astype(np.uint8)).save(path)
    return path


def moving(first: tuple[float, float], last: tuple[float, float], **others) -> CameraPath:
    """A path over 11 frames whose centre goes from one pixel to another."""
    start, end = (((x / WIDTH), (y / HEIGHT)) for x, y in (first, last))
    return CameraPath((64, 48), start, end, **{"seconds": 0.44, **others})


def waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 128 + 50 * np.sin(2 * math.pi * x / 17)[None, :] + 50 * np.sin(2 * math.pi * y / 23)[:, None]


@pytest.fixture
def wavy(tmp_path) -> Path:
    return save(tmp_path / "waves.png", waves(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5))


def frames(photo: Path, path: CameraPath) -> list[np.ndarray]:
    return [np.asarray(frame).astype(float) for frame in draw(photo, path, range(path.frames))]


def test_whole_pixels_are_the_photograph_itself(tmp_path):
    pattern = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3))
    shown = frames(save(tmp_path / "noise.png", pattern), moving((42, 54), (62, 84)))
    assert len(shown) == 11
    for number, frame in enumerate(shown):
        x, y = 42 + 2 * number - 32, 54 + 3 * number - 24
        np.testing.assert_array_equal(frame, pattern[y : y + 48, x : x + 64])


@pytest.mark.parametrize(
    ("last", "scale", "zoom"), [((47, 54), 1, 1), ((45.3, 57.7), 1, 1), ((60, 60), 1.6, 1.5), ((70, 60), 1.1, 0.8)]
)
def test_parts_of_pixels_are_where_they_should_be(wavy, last, scale, zoom):
    first = (70.0, 60.0)
    path = moving(first, last, scale=scale, zoom=zoom)
    for number, frame in enumerate(frames(wavy, path)):
        share = number / 10
        step = scale * zoom**-share
        x, y = (a + (b - a) * share for a, b in zip(first, last, strict=True))
        columns, rows = x + (np.arange(64) - 31.5) * step, y + (np.arange(48) - 23.5) * step
        error = frame[..., 0] - waves(columns, rows)
        assert np.abs(error).max() < 2.5  # pictures are rounded to 8 bits three times on the way
        right = waves(columns + 0.5, rows) - waves(columns - 0.5, rows)
        down = waves(columns, rows + 0.5) - waves(columns, rows - 0.5)
        for slope in (right, down):  # by how many pixels of the photograph the frame is beside its place
            assert abs((error * slope).sum() / (slope**2).sum()) < 0.03


def test_detail_that_a_frame_cannot_hold_is_left_out(tmp_path):
    board = np.indices((HEIGHT, WIDTH)).sum(0) % 2 * 255.0
    for frame in frames(save(tmp_path / "board.png", board), moving((100, 75), (98.7, 77.1), scale=2.0)):
        assert np.abs(frame - 127.5).max() < 4


def test_a_film_is_the_same_each_time_and_has_its_frames(wavy, tmp_path):
    path = moving((70, 60), (75, 70))
    for name in ("one.mkv", "two.mkv"):
        film(wavy, path, 0.2, 0.2, tmp_path / name)
    assert (tmp_path / "one.mkv").read_bytes() == (tmp_path / "two.mkv").read_bytes()
    timeline = read_timeline(tmp_path / "one.mkv")
    assert (len(timeline), timeline.width, timeline.height) == (5, 64, 48)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.mkv", "two.mkv", "waves.png"]


def test_a_film_keeps_what_is_drawn(wavy, tmp_path):
    path = moving((70, 60), (75, 70))
    film(wavy, path, 0.0, 0.44, tmp_path / "film.mkv")
    with av.open(str(tmp_path / "film.mkv")) as container:
        kept = [frame.to_ndarray() for frame in container.decode(video=0)]
    for frame, planes in zip(frames(wavy, path), kept, strict=True):
        assert np.abs(16 + frame[..., 0] * 219 / 255 - planes[:48]).max() <= 1
        assert np.abs(planes[48:].astype(int) - 128).max() <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": (0.1, 0.5)}, r"-12\.\.52 × 56\.\.104 of frame 0 leaves the photograph of 200 × 160"),
        ({"end": (0.5, 0.9)}, "of frame 10 leaves"),
        ({"zoom": 0.25}, "of frame 10 leaves"),
        ({"zoom": 1.5}, "scale falls to 0.67, at least 1 is needed"),
    ],
)
def test_paths_that_cannot_be_filmed(wavy, change, message):
    path = moving((100, 80), (100, 80))
    path.check(wavy)
    with pytest.raises(VideoError, match=message):
        replace(path, **change).check(wavy)


def test_files_that_are_no_photographs(wavy, tmp_path):
    path = moving((100, 80), (100, 80))
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(VideoError, match="not a picture"):
        path.check(tmp_path / "text.jpg")
    (tmp_path / "half.png").write_bytes(wavy.read_bytes()[:400])
    with pytest.raises(VideoError, match="not a whole picture"):
        list(draw(tmp_path / "half.png", path, range(1)))
