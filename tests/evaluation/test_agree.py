"""Predictions beside labels."""

from pathlib import Path

import numpy as np
import pytest

from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import SettingsError
from zoomvqa.evaluation.agree import match


def label(name: str, mos: float = 1.0, content: str = "", **more) -> LabelledVideo:
    return LabelledVideo(name, Path(name), mos, content or name, "test", **more)


def test_names_as_they_are_come_first():
    labels = [label("a/x.mp4", 1), label("b/x.mp4", 2), label("y.mp4", 3)]
    judged, missing, strays = match({"b/x.mp4": 20.0, "y.mp4": 30.0, "a/x.mp4": 10.0, "z": 0.0}, labels)
    assert (judged.names, list(judged.score), list(judged.mos)) == (
        ("a/x.mp4", "b/x.mp4", "y.mp4"), [10, 20, 30], [1, 2, 3],
    )  # fmt: skip
    assert (missing, strays) == ([], ["z"])
    assert np.isnan(judged.std).all()


def test_folders_and_endings_may_differ():
    judged, missing, strays = match(
        {"KoNViD/123.mp4": 1.0, "v.2_b": 2.0}, [label("123"), label("d\\v.2_b.avi"), label("n")]
    )
    assert (judged.names, list(judged.score), missing, strays) == (("123", "d\\v.2_b.avi"), [1, 2], ["n"], [])


def test_names_that_a_short_form_does_not_tell_apart_have_no_partner():
    judged, missing, strays = match({"a/x.mp4": 1.0, "b/x.mp4": 2.0, "y": 3.0}, [label("x"), label("y")])
    assert (judged.names, missing, strays) == (("y",), ["x"], ["a/x.mp4", "b/x.mp4"])


def test_nothing_in_common():
    with pytest.raises(
        SettingsError, match="none of the 1 names is among the 1 labelled ones, for example q and x"
    ):
        match({"q": 1.0}, [label("x")])


def test_figures_by_group():
    labels = [label(f"{i}", i, "scene" if i < 5 else "", groups={"kind": "ab"[i % 2]}, std=0.5) for i in range(12)]
    scores = {f"{i}": float(i if i % 2 else -i) for i in range(12)}
    judged, _, _ = match(scores, labels)
    found = judged.by_group(resamples=0)
    assert {group: figures.videos for group, figures in found.items()} == {
        ("kind", "a"): 6, ("kind", "b"): 6, ("content", "scene"): 5,
    }  # fmt: skip
    assert (found["kind", "a"].srcc, found["kind", "b"].srcc) == (pytest.approx(-1), pytest.approx(1))
    assert judged.figures(resamples=0).videos == 12


def test_a_prediction_is_of_one_video_only():
    labels = [label("a/x.mp4"), label("b/x.mp4"), label("c/y.mp4"), label("z.mp4"), label("z.3gp")]
    judged, missing, strays = match({"x": 1.0, "y": 2.0, "z.mp4": 3.0}, labels)
    assert judged.names == ("c/y.mp4", "z.mp4")
    assert (missing, strays) == (["a/x.mp4", "b/x.mp4", "z.3gp"], ["x"])


def test_contents_are_numbered_where_they_are_told():
    judged, _, _ = match(
        {"a": 1.0, "b": 2.0, "c": 3.0}, [label("a", content="q"), label("b", content="p"), label("c")]
    )
    assert judged.contents is not None
    assert judged.contents.tolist() == [2, 1, 0]
    assert match({"a": 1.0}, [label("a")])[0].contents is None


def test_endings_of_the_sets_files_may_be_left_out():
    labels = [label("Animation-01b3", 1), label("Sports-05f8", 2), label("Vlog-07aa", 3)]
    scores = {"h264/Animation-01b3_crf_10_t_20.0.mp4": 10.0, "Sports-05f8": 20.0, "Sports-05f8_crf_10_t_20.0": 9.0}
    judged, missing, strays = match(scores, labels, ("_crf_10_t_20.0",))
    assert (judged.names, list(judged.score)) == (("Animation-01b3", "Sports-05f8"), [10, 20])
    assert (missing, strays) == (["Vlog-07aa"], ["Sports-05f8_crf_10_t_20.0"])
