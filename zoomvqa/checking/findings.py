"""What is wrong, or odd, with a labelled set as a whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zoomvqa.checking.probe import Probe
from zoomvqa.data.contents import guess_pattern
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.placeholders import placeholder_reason

# Two videos look alike where the cells of their prints differ by no more grey levels on average, and by no more
# than a tenth of the prints' own spread.
_ALIKE = 1.0
# And where they are as long, to so many seconds.
_SECONDS = 0.05
_TOLD = 5


@dataclass(frozen=True)
class Checked:
    """A row of a set's annotation, and its file.

    Attributes:
        video: the labelled video.
        found: its file; None where there is none.
        trouble: why no file was found; empty where one was.
    """

    video: LabelledVideo
    found: Probe | None
    trouble: str = ""

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty where it can."""
        return self.trouble or (self.found.error if self.found else "")


@dataclass(frozen=True)
class Finding:
    """One thing to know about a set.

    Attributes:
        kind: `problem` where training or its figures would be wrong, `note` where somebody should look.
        text: a sentence.
    """

    kind: Literal["problem", "note"]
    text: str


def findings(rows: Sequence[Checked], mos_range: tuple[float, float] | None) -> list[Finding]:
    """Return what there is to know of a set.

    Args:
        rows: of it.
        mos_range: the scale of its scores, where it is known.
    """
    videos = [row.video for row in rows]
    found = [*_files(rows), *_labels(videos, mos_range), *_splits(videos), *_copies(rows)]
    return sorted(found, key=lambda finding: finding.kind, reverse=True)


def _files(rows: Sequence[Checked]) -> Iterable[Finding]:
    for reason, names in _grouped(rows, lambda row: row.problem or None).items():
        yield Finding("problem", f"{len(names)} videos cannot be used: {reason}: {some(names)}")
    complained = [row.video.name for row in rows if row.found and row.found.complaints and not row.problem]
    if complained:
        yield Finding("note", f"the decoder complains of {len(complained)} videos: {some(complained)}")
    short = [row.video.name for row in rows if row.found and row.found.frames == 1 and not row.problem]
    if short and len(short) < len(rows):
        yield Finding("note", f"{len(short)} videos have one frame: {some(short)}")


def _labels(videos: Sequence[LabelledVideo], mos_range: tuple[float, float] | None) -> Iterable[Finding]:
    for split in dict.fromkeys(video.split for video in videos):
        if reason := placeholder_reason([v for v in videos if v.split == split], mos_range):
            yield Finding("problem", f"the {split} labels are placeholders, no opinions: {reason}")
    if mos_range is not None:
        outside = [v.name for v in videos if not mos_range[0] <= v.mos <= mos_range[1]]
        if outside:
            scale = f"{mos_range[0]:g}..{mos_range[1]:g}"
            yield Finding("problem", f"{len(outside)} scores are outside the scale {scale}: {some(outside)}")


def _splits(videos: Sequence[LabelledVideo]) -> Iterable[Finding]:
    sides = defaultdict(set)
    for video in videos:
        sides[video.content].add(video.split)
    torn = sorted(content for content, splits in sides.items() if len(splits) > 1)
    if torn:
        yield Finding("problem", f"{len(torn)} contents are on more than one side of the split: {some(torn)}")
    for split, count in Counter(video.split for video in videos).items():
        if count < 3:
            yield Finding("note", f"the {split} split has {count} videos: too few for correlations")
    if len(sides) == len(videos):
        guess = guess_pattern([video.name for video in videos])
        way = f"; data.content_pattern='{guess.pattern}' makes {guess.contents} of the names" if guess else ""
        yield Finding("note", f"no contents are told: the split cannot keep a scene's videos together{way}")


def _copies(rows: Sequence[Checked]) -> Iterable[Finding]:
    """Tell of files that are the same, and of videos on two sides of the split that look alike."""
    same = _grouped(rows, lambda row: row.found.digest or None if row.found else None, whole=True)
    copies = [group for group in same.values() if len(group) > 1]
    if copies:
        leaks = sum(len({row.video.split for row in group}) > 1 for group in copies)
        told = some([" = ".join(row.video.name for row in group[:3]) for group in copies])
        across = f", {leaks} of them on two sides of the split" if leaks else ""
        yield Finding("problem", f"{len(copies)} files are there more than once{across}: {told}")
    pairs = [(a, b) for a, b in look_alikes(rows) if not _same_file(a, b)]
    if pairs:
        told = some([f"{a.video.name} ({a.video.split}) ~ {b.video.name} ({b.video.split})" for a, b in pairs])
        yield Finding("problem", f"{len(pairs)} pairs on two sides of the split look alike: {told}")


def _same_file(one: Checked, other: Checked) -> bool:
    return bool(one.found and other.found and one.found.digest and one.found.digest == other.found.digest)


def look_alikes(rows: Sequence[Checked]) -> list[tuple[Checked, Checked]]:
    """Return pairs of videos on two sides of the split that are as long, and look the same when small.

    Compared are prints of the first, middle and last frame. Flat pictures, black ones for example, are not.
    """
    usable = [row for row in rows if row.found and row.found.prints and not row.problem]
    by_length: dict[int, list[Checked]] = defaultdict(list)
    for row in usable:
        by_length[len(row.found.prints) if row.found else 0].append(row)
    return [pair for same in by_length.values() for pair in _alike(same)]


def _alike(rows: Sequence[Checked]) -> list[tuple[Checked, Checked]]:
    """Return the pairs among rows whose prints are as long."""
    prints = np.array(
        [np.frombuffer(bytes.fromhex(r.found.prints), np.uint8) for r in rows if r.found], np.float32
    )
    means, spreads = prints.mean(axis=1), prints.std(axis=1)
    order = np.argsort(means, kind="stable")
    prints, means, spreads = prints[order], means[order], spreads[order]
    seconds = np.array([row.found.seconds for row in rows if row.found])[order]
    sides = np.array([row.video.split for row in rows])[order]
    # Prints that differ by so little on average have means that do: only those are looked at.
    ends = np.searchsorted(means, means + _ALIKE, side="right")
    pairs = list[tuple[int, int]]()
    for at in range(len(rows)):
        if spreads[at] < 2 * _ALIKE:
            continue
        near = np.arange(at + 1, ends[at])
        near = near[(np.abs(seconds[near] - seconds[at]) <= _SECONDS) & (sides[near] != sides[at])]
        apart = np.abs(prints[near] - prints[at]).mean(axis=1)
        alike = near[apart <= np.minimum(_ALIKE, spreads[at] / 10)]
        pairs += [(min(order[at], order[other]), max(order[at], order[other])) for other in alike]
    return [(rows[first], rows[second]) for first, second in pairs]


def _grouped(
    rows: Sequence[Checked], key: Callable[[Checked], Hashable | None], *, whole: bool = False
) -> dict[Hashable, list]:
    """Return the names of rows, or the rows, by a key; those without one are left out."""
    found: dict[Hashable, list] = defaultdict(list)
    for row in rows:
        value = key(row)
        if value is not None:
            found[value].append(row if whole else row.video.name)
    return dict(found)


def some(names: Sequence[str]) -> str:
    """Return the first of many names, and how many more there are."""
    return ", ".join(names[:_TOLD]) + (f" and {len(names) - _TOLD} more" if len(names) > _TOLD else "")
