"""Labels that are no opinions: challenges hand out test files whose scores are random, or all the same."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoomvqa.errors import AnnotationError

if TYPE_CHECKING:  # which reads annotations, and these ask here
    from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo

# So many videos that share one score, or all lie in 0..1 of a wide scale, are no chance.
_FEW = 5
_WIDE = 10.0


def placeholder_reason(videos: Sequence[LabelledVideo], mos_range: tuple[float, float] | None) -> str:
    """Say why the scores of some videos are placeholders, or return an empty string.

    Args:
        videos: of one split.
        mos_range: the scale of the set, where it is known.
    """
    return no_opinions([video.mos for video in videos], mos_range)


def no_opinions(scores: Sequence[float], mos_range: tuple[float, float] | None) -> str:
    """Say why scores are placeholders, or return an empty string; see `placeholder_reason`."""
    if len(scores) < _FEW:
        return ""
    low, high = min(scores), max(scores)
    if low == high:
        return f"all {len(scores)} scores are {low:g}"
    if mos_range is not None and mos_range[1] - mos_range[0] >= _WIDE and low >= 0 and high <= 1:
        scale = f"{mos_range[0]:g}..{mos_range[1]:g}"
        return f"all {len(scores)} scores lie between 0 and 1 on a scale of {scale}"
    return ""


def refuse_placeholders(labelled: LabelledSet, splits: Sequence[str] = ("train", "val")) -> None:
    """Refuse to learn from, to choose by or to evaluate on labels that are no opinions.

    Raises:
        AnnotationError: a split has such labels.
    """
    names = labelled.sets or (labelled.name,)
    for split, (number, name) in itertools.product(splits, enumerate(names)):
        videos = [video for video in labelled.videos if (video.split, video.set) == (split, number)]
        if reason := placeholder_reason(videos, labelled.mos_range):
            raise AnnotationError(f"the {split} labels of {name} are placeholders, no opinions: {reason}")
