"""The splits of a protocol: always by content, so that no scene is trained on and tested."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from zoomvqa.console import say
from zoomvqa.data.annotations import Label
from zoomvqa.data.contents import unknown_contents
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.split import deal
from zoomvqa.errors import SettingsError
from zoomvqa.files import whole_file
from zoomvqa.settings.protocol import Protocol

# Training videos that stand in for validation where there is none: their figures tell that training works.
_WATCHED = 16


def make_splits(labelled: LabelledSet, protocol: Protocol, *, own_range: bool) -> list[LabelledSet]:
    """Return the set once for each split.

    official: the set's test videos are tested, or where it has none its validation videos; what the epoch is
    chosen by is dealt from the rest. kfold: contents are dealt to as many folds, each is tested once. repeats:
    contents are dealt anew for every split.

    Args:
        labelled: the set.
        protocol: how.
        own_range: the scale of the scores is known; otherwise it is taken from each split's training videos.

    Raises:
        SettingsError: there are too few contents, or no official split.
    """
    contents = Counter(video.content for video in labelled.videos)
    if len(contents) < 3:
        raise SettingsError(
            f"protocol: the set {labelled.name} has {len(contents)} contents, expected at least 3: one each to "
            "train on, to choose by and to test (data.content_pattern or a content column tells them)"
        )
    if protocol.kind == "official":
        return [_official(labelled, protocol, own_range=own_range)]
    _warn_of_unknown(labelled)
    if protocol.kind == "kfold" and protocol.splits > len(contents):
        raise SettingsError(
            f"protocol.splits: got {protocol.splits}, expected at most {len(contents)}, the contents"
        )
    folds = _folds(contents, protocol.splits, protocol.split_seed) if protocol.kind == "kfold" else None
    made = []
    for number in range(protocol.splits):
        if folds:
            rest = {c: n for c, n in contents.items() if folds[c] != number}
            share = min(0.999, protocol.val_share * sum(contents.values()) / sum(rest.values()))
            sides = dict.fromkeys(contents, "test") | deal(rest, share, 0.0, _seed(protocol, number))
        else:
            sides = deal(contents, protocol.val_share, protocol.test_share, _seed(protocol, number))
        made.append(_with_sides(labelled, partial(_dealt, sides), own_range=own_range, drawn=True))
    return made


def _dealt(sides: Mapping[str, str], video: LabelledVideo) -> str:
    return sides[video.content]


def _seed(protocol: Protocol, number: int) -> int:
    return protocol.split_seed * 10_007 + number


def _folds(contents: Mapping[str, int], count: int, seed: int) -> dict[str, int]:
    """Deal contents to folds that hold about as many videos."""
    order, sizes = sorted(contents), [0] * count
    random.Random(seed).shuffle(order)  # noqa: S311  a split, not a secret
    folds = {}
    # The largest first: what is dealt last evens out.
    for content in sorted(order, key=lambda c: -contents[c]):
        folds[content] = sizes.index(min(sizes))
        sizes[folds[content]] += contents[content]
    return folds


def _official(labelled: LabelledSet, protocol: Protocol, *, own_range: bool) -> LabelledSet:
    told = {video.split for video in labelled.videos}
    tested = "test" if "test" in told else "val"
    if tested not in told or "train" not in told:
        raise SettingsError(f"protocol: the set {labelled.name} has no official split; use kfold or repeats")
    rest = Counter(video.content for video in labelled.videos if video.split == "train")
    # A validation split of its own stays one where something else is tested.
    whole = {"val", "test"} <= told
    dealt = {} if whole else deal(rest, protocol.val_share, 0.0, protocol.split_seed)
    if not whole:
        _warn_of_unknown(labelled)

    def side(video: LabelledVideo) -> str:
        return "test" if video.split == tested else dealt.get(video.content, video.split)

    return _with_sides(labelled, side, own_range=own_range, drawn=not whole)


def _warn_of_unknown(labelled: LabelledSet) -> None:
    """Say that contents are not known, unless it was said when the set's own split was drawn."""
    if labelled.contents == "unknown" and not labelled.drawn:
        labels = [Label(video.name, video.mos, content=video.content) for video in labelled.videos]
        say(unknown_contents(labels, labelled.name))


def _with_sides(
    labelled: LabelledSet, side: Callable[[LabelledVideo], str], *, own_range: bool, drawn: bool
) -> LabelledSet:
    videos = [replace(video, split=side(video)) for video in labelled.videos]
    trained = [video for video in videos if video.split == "train"]
    if not trained:
        raise SettingsError(
            f"protocol.val_share: with these shares nothing of the set {labelled.name} is left to train on"
        )
    if not any(video.split == "val" for video in videos):
        step = max(1, len(trained) // _WATCHED)
        videos += [replace(video, split="val") for video in trained[::step][:_WATCHED]]
    scores = [video.mos for video in trained]
    scale = labelled.mos_range if own_range else (min(scores), max(scores))
    return LabelledSet(labelled.name, tuple(videos), scale, contents=labelled.contents, drawn=drawn)


def write_split(path: Path, labelled: LabelledSet) -> None:
    """Write a split as a table of annotations, which `data.annotations` reads."""
    # Training videos that stand in for validation come last, and are listed once.
    named = {v.name: v for v in reversed(labelled.videos)}
    with whole_file(path, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["video", "mos", "std", "content", "split"])
        for v in reversed(named.values()):
            writer.writerow([v.name, repr(v.mos), "" if v.std is None else repr(v.std), v.content, v.split])
