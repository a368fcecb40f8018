"""The labels in the annotation files of the field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoomvqa.console import say
from zoomvqa.data.placeholders import no_opinions
from zoomvqa.data.tables import TableFile, number_in, read_table
from zoomvqa.errors import AnnotationError, nearest

# Column names found by themselves, most telling first; compared in lower case.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "video": (
        *("video", "filename", "file_name", "file", "video_name", "video_list", "vidnames"),
        *("name", "path", "vid", "flickr_id"),
    ),
    "mos": (
        *("mos", "score", "mosfull", "realignment mos", "unbiasedmos", "mean_opinion_score"),
        *("video_score", "quality", "vmaf"),
    ),
    "std": ("std", "mos_std", "sd", "stdfull", "mos_sd"),
    "votes": ("votes", "num_votes", "n_votes", "ratings", "num_ratings", "n_ratings", "subjects", "x_subjects"),
    "content": ("content", "video_content", "group", "source", "scene"),
    "split": ("split", "set", "subset", "partition", "is_test"),
}
# Scores that are mostly the better the lower they are: taken only where they are named.
_TURNED = frozenset({"dmos", "dmos_all", "differential_mos", "difference_mos"})
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
_NOTHING = frozenset({"", "nan", "na", "n/a", "none", "null", "-"})
_IS_TEST = {"true": "test", "1": "test", "false": "train", "0": "train"}


class NoScoresError(AnnotationError):
    """A table that has no column of scores."""


@dataclass(frozen=True)
class Label:
    """One row of an annotation file.

    Attributes:
        video: the video's name as the file has it (a path, with or without an ending).
        mos: mean opinion score, in the set's own scale.
        std: standard deviation of the opinions, if told.
        content: group of videos that show the same source, if told.
        split: `train`, `val` or `test`, if told.
        groups: what else figures are told by, such as a distortion or a resolution: values by column.
        votes: number of opinions that the MOS is the mean of, if told.
    """

    video: str
    mos: float
    std: float | None = None
    content: str | None = None
    split: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    votes: float | None = None


def read_labels(
    path: Path,
    columns: Mapping[str, str | None] | None = None,
    content_pattern: str | None = None,
    *,
    header: Sequence[str] | None = None,
    groups: Sequence[str] = (),
    mos_range: tuple[float, float] | None = None,
) -> list[Label]:
    """Read one annotation file; see `zoomvqa.data.tables.read_table` for its formats.

    Args:
        path: the file.
        columns: the names of the columns of video, mos, std, votes, content and split; missing or None finds them.
        content_pattern: a regular expression whose group is the content within a video's file name.
        header: names of the columns of a file without a header.
        groups: columns that figures are told by.
        mos_range: the scale of the scores, where it is known.

    Raises:
        NoScoresError: there is no column of scores.
        AnnotationError: the file is missing, empty or malformed; the message has the line and what it holds.
    """
    table = read_table(path, header)
    place = {role: _column(table, role, (columns or {}).get(role)) for role in USUAL_NAMES}
    others = {name: _named(table, "groups", name) for name in groups if name in table.header}
    labels = [
        _label(table, number, row, place, others) for number, row in enumerate(table.rows, start=table.first)
    ]
    if not labels:
        raise AnnotationError(f"{path}: no video is listed in it")
    if nameless := sum(not label.video for label in labels):
        raise AnnotationError(f"{path}: {nameless} rows have no video name")
    scored = table.header[place["mos"] or 0]
    if scored in table.rounded:
        say(f"{path.name}: the column {scored} holds whole numbers only; a file with the decimals would be better")
    # A challenge hides its test videos' contents as it hides their scores; whoever needs those says so.
    hidden = bool(no_opinions([label.mos for label in labels], mos_range))
    return [_with_content(label, content_pattern, required=not hidden) for label in labels]


def _label(
    table: TableFile, number: int, row: Sequence[str], place: Mapping[str, int | None], groups: Mapping[str, int]
) -> Label:
    cells = {role: row[at].strip() for role, at in place.items() if at is not None}
    value = number_in(cells["mos"])
    if value is None:
        raise AnnotationError(f"{table.path}, row {number}: the MOS {cells['mos']!r} is not a finite number")
    split = cells.get("split")
    return Label(
        cells["video"],
        value,
        _std(table, number, cells.get("std") or ""),
        cells.get("content") or None,
        _split(table, number, split, table.header[place["split"] or 0]) if split else None,
        {name: row[at].strip() for name, at in groups.items()},
        _votes(table, number, cells.get("votes") or ""),
    )


def _votes(table: TableFile, number: int, text: str) -> float | None:
    """Return a number of opinions; tables have several ways to say that it is not known."""
    if text.lower() in _NOTHING:
        return None
    value = number_in(text)
    if value is None or value < 1:
        raise AnnotationError(f"{table.path}, row {number}: the votes {text!r} are not a number of 1 or more")
    return value


def _std(table: TableFile, number: int, text: str) -> float | None:
    """Return a standard deviation; tables have several ways to say that there is none."""
    if text.lower() in _NOTHING:
        return None
    value = number_in(text)
    if value is None or value < 0:
        raise AnnotationError(f"{table.path}, row {number}: the deviation {text!r} is not a finite number")
    return value


def _column(table: TableFile, role: str, chosen: str | None) -> int | None:
    if chosen is not None:
        return _named(table, role, chosen)
    lower = [name.lower() for name in table.header]
    found = next((lower.index(name) for name in USUAL_NAMES[role] if name in lower), None)
    if found is None and role in {"video", "mos"}:
        turned = next((n for n in table.header if role == "mos" and n.lower() in _TURNED), "")
        more = f" (in '{turned}', lower is mostly better: name it only where higher is)" if turned else ""
        raise (NoScoresError if role == "mos" and not turned else AnnotationError)(
            f"{table.path}: no column for the {role} among: {', '.join(filter(None, table.header))}; name it in "
            f"data.columns.{role}{more}"
        )
    return found


def _named(table: TableFile, role: str, chosen: str) -> int:
    if chosen not in table.header:
        raise AnnotationError(
            f"{table.path}: data.columns.{role} is '{chosen}', which is not a "
            f"column{nearest(chosen, table.header)}; "
            f"there are: {', '.join(filter(None, table.header))}"
        )
    return table.header.index(chosen)


def _split(table: TableFile, number: int, text: str, column: str) -> str:
    known = _IS_TEST if column.lower() == "is_test" else _SPLITS
    found = known.get(text.lower())
    if found is None:
        raise AnnotationError(f"{table.path}, row {number}: split '{text}' is none of train, val, test")
    return found


def _with_content(label: Label, pattern: str | None, *, required: bool) -> Label:
    if label.content is not None or pattern is None:
        return label
    name = re.split(r"[\\/]", label.video)[-1]
    found = re.search(pattern, name)
    if found is None or found.group(1) is None:
        if not required:
            return label
        raise AnnotationError(f"data.content_pattern {pattern!r} does not match the video name {name!r}")
    content = found.group(1)
    return replace(label, content=content.lower() if found.re.flags & re.IGNORECASE else content)
