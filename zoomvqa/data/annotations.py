"""Annotation files of the field, read into one table."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoomvqa.errors import AnnotationError, nearest

# Column names found by themselves, most telling first; compared in lower case.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "video": ("video", "filename", "file_name", "file", "video_name", "name", "path", "vid", "flickr_id"),
    "mos": ("mos", "score", "mosfull", "mean_opinion_score", "quality", "vmaf", "dmos"),
    "std": ("std", "mos_std", "sd", "stdfull", "mos_sd"),
    "content": ("content", "group", "source", "scene"),
    "split": ("split", "set", "subset", "partition"),
}
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


@dataclass(frozen=True)
class Label:
    """One row of an annotation file.

    Attributes:
        video: the video's name as the file has it (a path, with or without an ending).
        mos: mean opinion score, in the set's own scale.
        std: standard deviation of the opinions, if told.
        content: group of videos that show the same source, if told.
        split: `train`, `val` or `test`, if told.
    """

    video: str
    mos: float
    std: float | None = None
    content: str | None = None
    split: str | None = None


def read_labels(
    path: Path, columns: Mapping[str, str | None] | None = None, content_pattern: str | None = None
) -> list[Label]:
    """Read one annotation file.

    Three formats are recognised: `path, duration, fps, mos` lines (or `path, mos`) without a header, a table
    with a header (comma, semicolon or tab), and the Zoom-VQA release's JSON
    `{"train": [[frame folder, number of frames, mos], …], "val": …}`.

    Args:
        path: the file.
        columns: the header's names for video, mos, std, content and split; missing or None finds them.
        content_pattern: a regular expression whose group is the content within a video's file name.

    Raises:
        AnnotationError: the file is missing, empty or malformed; the message has the line and what it holds.
    """
    text = _text_of(path)
    if path.suffix.lower() == ".json":
        labels = _from_json(path, text)
    else:
        rows = _rows(path, text)
        labels = _from_header(path, rows, columns or {}) if _is_header(rows[0]) else _from_lines(path, rows)
    if not labels:
        raise AnnotationError(f"{path}: no video is listed in it")
    if nameless := sum(not label.video for label in labels):
        raise AnnotationError(f"{path}: {nameless} rows have no video name")
    return [_with_content(label, content_pattern) for label in labels]


def _text_of(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise AnnotationError(f"no such annotation file: {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f"{path}: not a readable text file ({error})") from None
    if not text.strip():
        raise AnnotationError(f"{path}: the file is empty")
    return text


def _rows(path: Path, text: str) -> list[list[str]]:
    first = text.lstrip().splitlines()[0]
    delimiter = max(";\t,", key=first.count)  # with as many of each, commas are decimal ones
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise AnnotationError(f"{path}: not a table ({error})") from None
    return [row for row in rows if any(cell.strip() for cell in row)]


def _is_header(row: Sequence[str]) -> bool:
    return _number(row[-1]) is None and all(_number(cell) is None for cell in row[1:])


def _from_lines(path: Path, rows: list[list[str]]) -> list[Label]:
    labels = []
    for number, row in enumerate(rows, start=1):
        if len(row) not in {2, 4}:
            raise AnnotationError(
                f"{path}, row {number}: expected `path, duration, fps, mos`, got {','.join(row)!r}"
            )
        labels.append(Label(row[0].strip(), _mos(path, number, row[-1])))
    return labels


def _from_header(path: Path, rows: list[list[str]], columns: Mapping[str, str | None]) -> list[Label]:
    header = [cell.strip() for cell in rows[0]]
    place = {role: _column(path, header, role, columns.get(role)) for role in USUAL_NAMES}
    labels = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) < len(header):
            raise AnnotationError(f"{path}, row {number}: {len(row)} cells where the header has {len(header)}")
        cells = {role: row[at].strip() for role, at in place.items() if at is not None}
        std = cells.get("std")
        labels.append(
            Label(
                cells["video"],
                _mos(path, number, cells["mos"]),
                _number(std) if std else None,
                cells.get("content") or None,
                _split(path, number, cells.get("split")),
            )
        )
    return labels


def _column(path: Path, header: list[str], role: str, chosen: str | None) -> int | None:
    if chosen is not None:
        if chosen not in header:
            raise AnnotationError(
                f"{path}: data.columns.{role} is '{chosen}', which is not a column{nearest(chosen, header)}; "
                f"there are: {', '.join(header)}"
            )
        return header.index(chosen)
    lower = [name.lower() for name in header]
    found = next((lower.index(name) for name in USUAL_NAMES[role] if name in lower), None)
    if found is None and role in {"video", "mos"}:
        raise AnnotationError(
            f"{path}: no column for the {role} among: {', '.join(header)}; name it in data.columns.{role}"
        )
    return found


def _from_json(path: Path, text: str) -> list[Label]:
    try:
        table: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise AnnotationError(f"{path}: not JSON ({error})") from None
    if not isinstance(table, dict) or not all(isinstance(rows, list) for rows in table.values()):
        raise AnnotationError(f'{path}: expected {{"train": [[folder, frames, mos], …], "val": …}}')
    labels = []
    for part, rows in table.items():
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, list) or len(row) not in {2, 3} or not isinstance(row[0], str):
                raise AnnotationError(f"{path}, {part} {number}: expected [folder, frames, mos], got {row!r}")
            split = _split(path, number, part)
            labels.append(Label(row[0], _mos(path, number, str(row[-1])), split=split))
    return labels


def _split(path: Path, number: int, text: str | None) -> str | None:
    if not text:
        return None
    found = _SPLITS.get(text.lower())
    if found is None:
        raise AnnotationError(f"{path}, row {number}: split '{text}' is none of train, val, test")
    return found


def _mos(path: Path, number: int, text: str) -> float:
    value = _number(text)
    if value is None:
        raise AnnotationError(f"{path}, row {number}: the MOS {text.strip()!r} is not a finite number")
    return value


def _number(text: str) -> float | None:
    cleaned = text.strip()
    if re.fullmatch(r"-?\d+,\d+", cleaned):  # a decimal comma
        cleaned = cleaned.replace(",", ".")
    try:
        value = float(cleaned)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _with_content(label: Label, pattern: str | None) -> Label:
    if label.content is not None or pattern is None:
        return label
    name = re.split(r"[\\/]", label.video)[-1]
    found = re.search(pattern, name)
    if found is None:
        raise AnnotationError(f"data.content_pattern {pattern!r} does not match the video name {name!r}")
    return Label(label.video, label.mos, label.std, found.group(1), label.split)
