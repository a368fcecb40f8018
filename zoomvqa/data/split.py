"""Which videos are trained on, validated on and tested: always by content."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from zoomvqa.data.annotations import Label
from zoomvqa.errors import AnnotationError


def assign_splits(labels: Sequence[Label], val_share: float, test_share: float, seed: int) -> list[str]:
    """Return the split of each label; those that have one keep it, the others are split by content.

    Contents are shuffled by `seed` and dealt to test and validation until each holds its share of the
    videos, so that no content is on two sides.

    Raises:
        AnnotationError: the annotation itself has a content on two sides.
    """
    told: dict[str, set[str]] = defaultdict(set)
    open_contents: dict[str, int] = defaultdict(int)
    for label in labels:
        if label.split is None:
            open_contents[label.content or label.video] += 1
        elif label.content is not None:
            told[label.content].add(label.split)
    if both := sorted(content for content, sides in told.items() if len(sides) > 1):
        raise AnnotationError(f"contents on more than one side of the split: {', '.join(both)}")
    dealt = deal(open_contents, val_share, test_share, seed)
    if told and (leaks := sorted(c for c in open_contents if c in told)):
        dealt |= {content: next(iter(told[content])) for content in leaks}
    splits = [label.split or dealt[label.content or label.video] for label in labels]
    if val_share and {"train", "test"} == set(splits):
        # The annotation tells what is tested, and nothing to choose an epoch by: that comes out of training.
        trained = Counter(x.content or x.video for x, s in zip(labels, splits, strict=True) if s == "train")
        again = deal(trained, val_share, 0.0, seed)
        splits = [again[x.content or x.video] if s == "train" else s for x, s in zip(labels, splits, strict=True)]
    return splits


def deal(contents: Mapping[str, int], val_share: float, test_share: float, seed: int) -> dict[str, str]:
    """Return the side of each content: shuffled by `seed`, dealt until each side has its share of the videos.

    Args:
        contents: the number of videos of each.
        val_share: of all videos, 0..1.
        test_share: likewise.
        seed: of the order.
    """
    order = sorted(contents)
    random.Random(seed).shuffle(order)  # noqa: S311  a split, not a secret
    total = sum(contents.values())
    wanted = {"test": test_share * total, "val": val_share * total}
    # Each side that has a share gets a content, however few there are, as long as one is left to train on.
    owed = [side for side in ("val", "test") if wanted[side] > 0][: len(order) - 1]
    dealt = {}
    for content in order:
        side = next((s for s, left in wanted.items() if left >= contents[content] / 2 and left > 0), "train")
        side = owed.pop(0) if owed else side
        if side != "train":
            wanted[side] -= contents[content]
        dealt[content] = side
    return dealt
