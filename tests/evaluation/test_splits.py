"""Splits of a protocol."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo, load_set
from zoomvqa.errors import SettingsError
from zoomvqa.evaluation.splits import make_splits, write_split
from zoomvqa.settings.data import DataSettings
from zoomvqa.settings.protocol import Protocol


def made(contents=10, each=3, split="train"):
    videos = [
        LabelledVideo(f"c{c}_{i}.mp4", Path(f"c{c}_{i}.mp4"), 10.0 * c + i, f"c{c}", split)
        for c in range(contents)
        for i in range(each)
    ]
    return LabelledSet("made", tuple(videos), (0.0, 100.0))


def sides(labelled):
    found = {side: {v.content for v in labelled.videos if v.split == side} for side in ("train", "val", "test")}
    assert sum(map(len, found.values())) == len(set().union(*found.values()))
    return found


@pytest.mark.parametrize(("val", "test", "sizes"), [(0.2, 0.2, (6, 2, 2)), (0.1, 0.3, (6, 1, 3))])
def test_repeats(val, test, sizes):
    splits = make_splits(
        made(), Protocol(kind="repeats", splits=20, val_share=val, test_share=test), own_range=True
    )
    assert len(splits) == 20
    found = [sides(split) for split in splits]
    assert all(tuple(len(f[s]) for s in ("train", "val", "test")) == sizes for f in found)
    assert len({tuple(sorted(f["test"])) for f in found}) > 5
    again = make_splits(
        made(), Protocol(kind="repeats", splits=20, val_share=val, test_share=test), own_range=True
    )
    assert again == splits


def test_kfold_tests_each_content_once():
    splits = make_splits(made(11), Protocol(kind="kfold", splits=5), own_range=True)
    tested = Counter(content for split in splits for content in sides(split)["test"])
    assert tested == dict.fromkeys((f"c{i}" for i in range(11)), 1)
    assert all(sides(split)["val"] for split in splits)
    assert sorted(len(sides(split)["test"]) for split in splits) == [2, 2, 2, 2, 3]
    with pytest.raises(SettingsError, match=r"protocol\.splits: got 12, expected at most 11, the contents"):
        make_splits(made(11), Protocol(kind="kfold", splits=12), own_range=True)


def test_a_protocol_says_that_contents_are_not_known(capsys):
    unknown = replace(made(), contents="unknown")
    for protocol in (Protocol(kind="repeats", splits=2), Protocol(kind="official")):
        tested = replace(
            unknown, videos=tuple(replace(v, split="test") for v in unknown.videos[:3]) + unknown.videos[3:]
        )
        splits = make_splits(tested, protocol, own_range=True)
        assert all(split.split_facts == {"contents": "unknown", "split": "drawn"} for split in splits)
        assert capsys.readouterr().err.count("Warning: the split of made is drawn at random") == 1
    make_splits(made(), Protocol(kind="repeats", splits=2), own_range=True)
    make_splits(replace(unknown, drawn=True), Protocol(kind="repeats", splits=2), own_range=True)
    assert capsys.readouterr().err == ""


def test_an_official_split_that_is_whole_is_not_drawn(capsys):
    videos = [replace(v, split=s) for v, s in zip(made().videos, ["train", "val", "test"] * 10, strict=True)]
    whole = replace(made(), videos=tuple(videos), contents="unknown")
    (split,) = make_splits(whole, Protocol(kind="official"), own_range=True)
    assert split.split_facts == {"contents": "unknown", "split": "given"}
    assert capsys.readouterr().err == ""


def test_official():
    labelled = made()
    videos = [replace(v, split="test" if v.content in {"c1", "c2"} else "train") for v in labelled.videos]
    labelled = replace(labelled, videos=tuple(videos))
    (split,) = make_splits(labelled, Protocol(kind="official", val_share=0.2), own_range=True)
    assert sides(split)["test"] == {"c1", "c2"}
    assert len(sides(split)["val"]) == 2
    # Where there is no test split, the validation split is tested, and the epoch is chosen on something else.
    only_val = replace(
        labelled, videos=tuple(replace(v, split=v.split.replace("test", "val")) for v in labelled.videos)
    )
    (split,) = make_splits(only_val, Protocol(kind="official", val_share=0.2), own_range=True)
    assert sides(split)["test"] == {"c1", "c2"}
    # All three told: left as they are.
    whole = replace(labelled, videos=tuple(replace(v, split="val") if v.content == "c3" else v for v in videos))
    (split,) = make_splits(whole, Protocol(kind="official"), own_range=True)
    assert split.videos == whole.videos
    with pytest.raises(SettingsError, match="has no official split; use kfold or repeats"):
        make_splits(made(), Protocol(kind="official"), own_range=True)


def test_too_few_contents():
    with pytest.raises(SettingsError, match="has 2 contents, expected at least 3"):
        make_splits(made(2), Protocol(kind="repeats"), own_range=True)


def test_nothing_to_choose_by():
    protocol = Protocol(kind="repeats", val_share=0.0, checkpoint="last", test_share=0.2)
    (split,) = make_splits(made(), protocol, own_range=True)
    parts = {side: {v.name for v in split.videos if v.split == side} for side in ("train", "val", "test")}
    assert len(parts["train"]) == 24
    assert parts["val"] < parts["train"]
    assert not parts["test"] & parts["train"]


def test_the_scale_is_that_of_training_videos():
    (split,) = make_splits(made(), Protocol(kind="repeats", splits=1), own_range=False)
    scores = [v.mos for v in split.videos if v.split == "train"]
    assert split.mos_range == (min(scores), max(scores))


@pytest.mark.parametrize("val_share", [0.2, 0.0])
def test_a_written_split_is_read_back(tmp_path, val_share):
    labelled = made()
    for video in labelled.videos:
        (tmp_path / video.name).touch()
    protocol = Protocol(kind="repeats", splits=1, val_share=val_share, checkpoint="last")
    (split,) = make_splits(labelled, protocol, own_range=True)
    write_split(tmp_path / "split.csv", split)
    settings = DataSettings(
        name="folder",
        root=str(tmp_path),
        annotations=str(tmp_path / "split.csv"),
        val_share=0.0,
        mos_range=(0, 100),
    )
    read = {v.name: (v.split, v.content, v.mos) for v in load_set(settings).videos}
    own = {v.name: (v.split, v.content, v.mos) for v in reversed(split.videos)}
    assert read == own


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "kfold", "splits": 1}, "at least 2 folds"),
        ({"kind": "official", "splits": 2}, "the set's own split"),
        ({"kind": "repeats", "test_share": 0.0}, "above 0"),
        ({"kind": "repeats", "val_share": 0.5, "test_share": 0.5}, "below 1"),
        ({"kind": "repeats", "val_share": 0.0}, "nothing to choose the best epoch by"),
        ({"kind": "repeats", "splits": 3, "only": [3]}, "numbers of splits, 0 to 2"),
    ],
)
def test_impossible_protocols(settings, message):
    defaults = {"checkpoint": "best"}
    with pytest.raises(ValueError, match=message):
        Protocol(**defaults, **settings)
