"""The demo's table of contents."""

import re
from pathlib import Path

from zoomvqa.ladder.contents import CONTENTS, SPLITS
from zoomvqa.ladder.demo import PLAN, demo_sources


def of(split: str, kind: str = "") -> list[str]:
    return [c.name for c in CONTENTS if c.split == split and kind in ("", "photo" if c.camera else "clip")]


def test_names_are_in_order_and_splits_go_round():
    names = [content.name for content in CONTENTS]
    assert names == sorted(set(names))
    assert [c.split for c in CONTENTS] == [SPLITS[n % len(SPLITS)] for n in range(len(CONTENTS))]


def test_there_are_enough_in_each_split_and_of_each_kind():
    assert len(CONTENTS) >= 24
    assert len(of("val")) >= 4
    assert len(of("test")) >= 6
    assert all(of(split, kind) for split in ("train", "val", "test") for kind in ("clip", "photo"))


def test_every_content_gets_as_many_clips():
    clips: dict[str, list[str]] = {}
    for source in demo_sources(Path()):
        clips.setdefault(source.content, []).extend(rung.name for rung in source.rungs)
    assert set(clips) == {content.name for content in CONTENTS}
    for content, rungs in clips.items():
        assert len(set(rungs)) == len(rungs) == 9, content
        assert rungs[0] == "pristine"


def test_stretches_do_not_overlap_much_and_lie_on_their_path():
    for content in CONTENTS:
        steps = [b - a for a, b in zip(content.starts, content.starts[1:], strict=False)]
        assert all(step >= 0.9 * PLAN.seconds for step in steps)
        assert content.camera is None or content.starts[-1] + PLAN.seconds <= content.camera.seconds
        assert content.camera is None or content.camera.size[1] <= PLAN.height


def test_packages_are_pinned_and_files_known():
    for content in CONTENTS:
        assert content.package.count("==") == 1
        assert len(content.sha256) == 64
    assert len({content.sha256 for content in CONTENTS}) == len(CONTENTS)


def test_the_video_that_make_demo_scores_alone_is_a_test_content():
    makefile = Path(__file__).parents[2] / "Makefile"
    found = re.search(r"^ONE := videos/(\w+?)_(\d{5})_(\S+)\.mp4$", makefile.read_text(), re.MULTILINE)
    assert found
    name, start, rung = found.groups()
    sources = {(s.content, f"{round(s.start * 100):05d}"): s for s in demo_sources(Path())}
    source = sources[name, start]
    assert source.split == "test"
    assert rung in [r.name for r in source.rungs]
