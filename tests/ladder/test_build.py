"""A real ladder, small: encoded, judged, interrupted and gone on with."""

import csv
from pathlib import Path

import pytest
from conftest import Make

from zoomvqa.errors import UserError
from zoomvqa.ladder import build
from zoomvqa.ladder.build import Plan, Source, build_ladder, folder_sources
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
