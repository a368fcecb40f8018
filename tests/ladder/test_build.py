"""A real ladder, small: encoded, judged, interrupted and gone on with."""

import csv
from pathlib import Path

import numpy as np
import pytest
from conftest import Make
from PIL import Image

from zoomvqa.errors import UserError
from zoomvqa.ladder import build
from zoomvqa.ladder.build import Plan, build_ladder
from zoomvqa.ladder.camera_path import CameraPath
from zoomvqa.ladder.rungs import PRISTINE, RUNGS
from zoomvqa.ladder.sources import Source, folder_sources
from zoomvqa.video.read_timeline import read_timeline

PLAN = Plan(height=96, seconds=0.6, segments=2, rungs=4, workers=2, val_share=0.3, test_share=0.3)


@pytest.fixture(scope="module")
def sources(make_video: Make) -> list[Source]:
    pictures = ("testsrc2", "mandelbrot", "testsrc")
    return [Source(p, make_video(f"src_{p}.mp4", size="192x144", frames=40, picture=p)) for p in pictures]


@pytest.fixture(scope="module")
def ladder(sources, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("ladder")
    build_ladder(sources, output, PLAN)
    return output


def rows(output: Path) -> list[dict[str, str]]:
    with (output / "labels.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_clips_and_labels(ladder):
    table = rows(ladder)
    assert len(table) == 3 * 2 * 5
    for row in table:
        assert 0 <= float(row["vmaf"]) <= 100
        timeline = read_timeline(ladder / row["video"])
        assert len(timeline) == 15
        assert timeline.height == 96
    assert {r["split"] for r in table} == {"train", "val", "test"}
    for content in ("testsrc2", "mandelbrot", "testsrc"):
        assert len({r["split"] for r in table if r["content"] == content}) == 1


def test_labels_make_sense(ladder):
    scores = {r["rung"]: float(r["vmaf"]) for r in rows(ladder) if r["content"] == "mandelbrot"}
    assert scores["pristine"] > 85
    assert scores["pristine"] == max(scores.values())
    assert min(scores.values()) < 80


def test_again_makes_nothing_and_the_same(ladder, sources, monkeypatch):
    before = (ladder / "labels.csv").read_bytes()
    monkeypatch.setattr(build, "cut_pristine", None)  # would fail if it were called
    build_ladder(sources, ladder, PLAN)
    assert (ladder / "labels.csv").read_bytes() == before


def test_another_folder_gets_the_same_bits(ladder, sources, tmp_path):
    one = [sources[0]]
    build_ladder(one, tmp_path, PLAN)
    for clip in (tmp_path / "videos").iterdir():
        assert clip.read_bytes() == (ladder / "videos" / clip.name).read_bytes()


def test_goes_on_after_damage(ladder, sources):
    before = rows(ladder)
    victim = ladder / before[3]["video"]
    good = victim.read_bytes()
    victim.write_bytes(good[:-10])
    (ladder / before[4]["video"]).unlink()
    build_ladder(sources, ladder, PLAN)
    assert rows(ladder) == before
    assert victim.read_bytes() == good


def test_another_recipe_is_made_anew(sources, tmp_path):
    one = [sources[0]]
    build_ladder(one, tmp_path, PLAN)
    smaller = Plan(**(PLAN.__dict__ | {"height": 64}))
    build_ladder(one, tmp_path, smaller)
    assert {read_timeline(tmp_path / r["video"]).height for r in rows(tmp_path)} == {64}


@pytest.fixture
def photo(tmp_path) -> Path:
    """A photograph, as far as these tests are concerned: smooth, and nowhere the same."""
    y, x = np.indices((200, 260))
    picture = 128 + 60 * np.sin(x / 5 + y / 11) + 50 * np.sin(x * y / 900)
    Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_photograph_becomes_clips_with_the_rungs_it_is_given(photo, tmp_path, monkeypatch):
    camera = CameraPath((128, 96), (0.4, 0.5), (0.6, 0.5), seconds=1.2)
    sources = [
        Source("view", photo, start, start + 0.6, "train", camera, rungs)
        for start, rungs in ((0.0, (PRISTINE, RUNGS[3])), (0.6, (RUNGS[5],)))
    ]
    output = tmp_path / "out"
    build_ladder(sources, output, PLAN)
    assert [Path(r["video"]).name for r in rows(output)] == [
        "view_00000_crf39.mp4",
        "view_00000_pristine.mp4",
        "view_00060_crf50.mp4",
    ]
    assert len(read_timeline(output / rows(output)[0]["video"])) == 15
    before = (output / "labels.csv").read_bytes()
    monkeypatch.setattr(build, "film", None)  # would fail if it were called
    build_ladder(sources, output, PLAN)
    assert (output / "labels.csv").read_bytes() == before


def test_another_camera_is_another_recipe(photo, tmp_path):
    camera = CameraPath((128, 96), (0.4, 0.5), (0.6, 0.5), seconds=0.6)
    for path in (camera, CameraPath((128, 96), (0.4, 0.5), (0.4, 0.5), seconds=0.6)):
        build_ladder(
            [Source("view", photo, split="train", camera=path, rungs=(PRISTINE,))], tmp_path / "out", PLAN
        )
        size = (tmp_path / "out" / "videos" / "view_00000_pristine.mp4").stat().st_size
        if path is camera:
            moving = size
    assert size < moving


def test_a_camera_that_leaves_its_photograph_is_told_with_the_others(photo, tmp_path):
    camera = CameraPath((128, 96), (0.1, 0.5), (0.6, 0.5))
    with pytest.raises(UserError, match=r"(?s)1 of 1 sources cannot be used.*photo\.png: the camera's window"):
        build_ladder([Source("view", photo, camera=camera)], tmp_path / "out", PLAN)


def test_unusable_sources_are_all_listed(make_video: Make, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    short = make_video("short.mp4", frames=5)
    with pytest.raises(UserError, match=r"(?s)2 of 2 sources cannot be used.*bad.mp4.*short.mp4: 0.20 s long"):
        build_ladder([Source("bad", bad), Source("short", short)], tmp_path / "out", PLAN)


def test_sources_of_one_name_are_refused(make_video: Make, tmp_path):
    video = make_video("src_testsrc.mp4", size="192x144", frames=40, picture="testsrc")
    for name in ("x.mp4", "x.avi"):
        (tmp_path / name).write_bytes(video.read_bytes())
    with pytest.raises(UserError, match=r"the same names: x\.avi and x\.mp4"):
        build_ladder(folder_sources(tmp_path, tmp_path / "out"), tmp_path / "out", PLAN)


def test_folder_sources(tmp_path):
    for name in ("a.mp4", "sub/b c.mkv", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [s.content for s in folder_sources(tmp_path, tmp_path / "out")] == ["a", "sub_b_c"]
    with pytest.raises(UserError, match="no such folder"):
        folder_sources(tmp_path / "no", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="there is no video below"):
        folder_sources(tmp_path / "empty", tmp_path / "out")
