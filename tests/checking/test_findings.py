"""What is wrong with a set as a whole."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoomvqa.checking.findings import Checked, Finding, findings, look_alikes
from zoomvqa.checking.probe import Probe
from zoomvqa.data.labelled_set import LabelledVideo

DRAW = np.random.default_rng(0)


def prints() -> str:
    return DRAW.integers(256, size=192, dtype=np.uint8).tobytes().hex()


def row(
    name: str, split: str = "train", content: str = "", mos: float = 3.0, trouble: str = "", **probe
) -> Checked:
    video = LabelledVideo(name, Path(name), mos, content or name, split)
    made = {"seconds": 2.0, "frames": 50, "digest": name, "prints": prints()} | probe
    return Checked(video, None if trouble else Probe(**made), trouble)


def sound(count: int = 9) -> list[Checked]:
    splits = ["train"] * (count - 6) + ["val"] * 3 + ["test"] * 3
    return [row(f"v{i}", split, f"{split}{i // 2}", 1 + i / 4) for i, split in enumerate(splits)]


def test_a_sound_set_has_none():
    assert findings(sound(), (1.0, 5.0)) == []


def test_files_that_cannot_be_used():
    rows = [
        *sound(),
        row("gone", trouble="no such file"),
        row("bad", error="broken"),
        row("worse", error="broken"),
    ]
    assert [f.text for f in findings(rows, None) if f.kind == "problem"] == [
        "1 videos cannot be used: no such file: gone",
        "2 videos cannot be used: broken: bad, worse",
    ]


def test_complaints_and_single_frames_are_notes():
    rows = [*sound(), row("odd", complaints=("h264: x",)), row("still", frames=1)]
    assert findings(rows, None) == [
        Finding("note", "the decoder complains of 1 videos: odd"),
        Finding("note", "1 videos have one frame: still"),
    ]


def test_labels():
    rows = [replace(r, video=replace(r.video, mos=0.5 + i / 100)) for i, r in enumerate(sound())]
    rows += [row(f"t{i}", "test", "t", 0.0) for i in range(9)]
    texts = [f.text for f in findings(rows, (1.0, 5.0))]
    assert "18 scores are outside the scale 1..5: v0, v1, v2, v3, v4 and 13 more" in texts
    same = [replace(r, video=replace(r.video, mos=2.0)) for r in rows]
    assert "the test labels are placeholders, no opinions: all 12 scores are 2" in [
        f.text for f in findings(same, None)
    ]


def test_a_content_on_two_sides():
    rows = [*sound(), row("a", "train", "scene"), row("b", "test", "scene")]
    assert findings(rows, None) == [Finding("problem", "1 contents are on more than one side of the split: scene")]


def test_splits_that_are_small_or_know_no_contents():
    rows = [row("a"), row("b"), row("c"), row("d", "val")]
    assert findings(rows, None) == [
        Finding("note", "the val split has 1 videos: too few for correlations"),
        Finding("note", "no contents are told: the split cannot keep a scene's videos together"),
    ]


def test_copies_across_the_split():
    one = row("a", digest="same")
    rows = [*sound(), one, replace(one, video=replace(one.video, name="b", split="test", content="other"))]
    assert findings(rows, None) == [
        Finding("problem", "1 files are there more than once, 1 of them on two sides of the split: a = b")
    ]


def test_look_alikes_across_the_split():
    print_ = prints()
    nearly = bytearray(bytes.fromhex(print_))
    nearly[7] ^= 3
    one, other = row("a", "train", "a", prints=print_), row("b", "val", "b", prints=nearly.hex(), seconds=2.02)
    longer = row("c", "test", "c", prints=print_, seconds=9.0)
    black = [row(n, s, n, prints=bytes(192).hex()) for n, s in (("d", "train"), ("e", "test"))]
    rows = [*sound(), one, other, longer, *black]
    assert [(a.video.name, b.video.name) for a, b in look_alikes(rows)] == [("a", "b")]
    assert findings(rows, None) == [
        Finding("problem", "1 pairs on two sides of the split look alike: a (train) ~ b (val)")
    ]


def test_dark_pictures_with_a_light_in_another_corner_are_not_alike():
    dark = [bytearray(np.full(192, 16, np.uint8).tobytes()) for _ in "ab"]
    dark[0][0], dark[1][63] = 90, 90
    rows = [row(n, s, n, prints=bytes(p).hex()) for n, s, p in (("a", "train", dark[0]), ("b", "val", dark[1]))]
    assert look_alikes([*sound(), *rows]) == []


def test_folders_of_pictures_that_are_copies_are_told_by_their_looks():
    print_ = prints()
    rows = [row(n, s, n, prints=print_, digest="") for n, s in (("a", "train"), ("b", "val"))]
    assert "1 pairs on two sides of the split look alike: a (train) ~ b (val)" in [
        f.text for f in findings([*sound(), *rows], None)
    ]


def test_thousands_of_equal_length_take_seconds():
    rows = [row(f"{i}", ("train", "val")[i % 2], f"{i}") for i in range(4000)]
    begin = time.monotonic()
    assert look_alikes(rows) == []
    assert time.monotonic() - begin < 20
