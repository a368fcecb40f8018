"""Several sets as one."""

from dataclasses import replace
from pathlib import Path

import pytest

from zoomvqa.data.join_sets import join_sets
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.errors import AnnotationError

A = LabelledSet("a", (LabelledVideo("x", Path("/a/x.mp4"), 2.0, "c", "train", 0.5, {"kind": "q"}),), (1.0, 5.0))
B = LabelledSet("b", (LabelledVideo("x", Path("/b/x.mp4"), 40.0, "c", "val"),), (0.0, 80.0))


def test_how_contents_are_known_is_the_least_sure_of_all_sets():
    joined = join_sets({"a": replace(A, contents="unknown", drawn=True), "b": replace(B, contents="names")}, {})
    assert joined.split_facts == {"contents": "unknown", "split": "drawn"}
    assert join_sets({"a": A, "b": replace(B, contents="names")}, {}).contents == "names"


def test_scores_are_on_one_scale_and_names_tell_the_set():
    joined = join_sets({"a": A, "b": B}, {"b": 3.0})
    first, second = joined.videos
    assert (first.name, first.mos, first.std, first.content, first.split, first.set, dict(first.groups)) == (
        "a/x", 25.0, 12.5, "a/c", "train", 0, {"kind": "q", "set": "a"},
    )  # fmt: skip
    assert (second.name, second.mos, second.std, second.content, second.set) == ("b/x", 50.0, None, "b/c", 1)
    assert (joined.name, joined.mos_range, joined.sets, joined.weights) == ("a+b", (0, 100), ("a", "b"), (1, 3))


def test_a_file_of_two_sets_is_refused():
    other = LabelledSet("b", (replace(B.videos[0], path=Path("/a/x.mp4")),), B.mos_range)
    with pytest.raises(AnnotationError, match="x.mp4 belongs to a and to b"):
        join_sets({"a": A, "b": other}, {})
