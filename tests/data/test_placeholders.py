"""Labels that are no opinions."""

from dataclasses import replace
from pathlib import Path

import pytest

from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.placeholders import placeholder_reason, refuse_placeholders
from zoomvqa.errors import AnnotationError


def videos(scores, split="test"):
    return tuple(LabelledVideo(f"{i}", Path(f"{i}"), s, f"{i}", split) for i, s in enumerate(scores))


@pytest.mark.parametrize(
    ("scores", "mos_range", "reason"),
    [
        ([-1.0] * 20, (0, 100), "all 20 scores are -1"),
        ([0.17, 0.99, 0.58, 0.3, 0.2], (0, 100), "all 5 scores lie between 0 and 1 on a scale of 0..100"),
        ([0.17, 0.99, 0.58, 0.3, 0.2], (0, 1), ""),
        ([0.17, 0.99, 0.58, 0.3, 0.2], None, ""),
        ([0.17, 0.99, 0.58, 0.3, 20.0], (0, 100), ""),
        ([1.2, 3.4, 4.4, 2.0, 1.0], (1, 5), ""),
        ([50.0] * 4, (0, 100), ""),
        ([], (0, 100), ""),
    ],
)
def test_reasons(scores, mos_range, reason):
    assert placeholder_reason(videos(scores), mos_range) == reason


def test_refusal_names_the_split():
    good = videos([10.0, 20, 30, 40, 50], "train")
    labelled = LabelledSet("vdpve", (*good, *videos([-1.0] * 9)), (0.0, 100.0))
    refuse_placeholders(labelled)
    with pytest.raises(AnnotationError, match="test labels of vdpve are placeholders, no opinions: all 9"):
        refuse_placeholders(labelled, ("train", "val", "test"))


def test_each_of_several_sets_is_looked_at():
    good = tuple(replace(v, set=0) for v in videos([10.0, 20, 30, 40, 50], "train"))
    bad = tuple(replace(v, set=1) for v in videos([50.0] * 6, "train"))
    joined = LabelledSet("a+b", (*good, *bad), (0.0, 100.0), ("a", "b"), (1.0, 1.0))
    with pytest.raises(AnnotationError, match="the train labels of b are placeholders, no opinions: all 6"):
        refuse_placeholders(joined)
