"""Which videos a user means: a file, a folder, a glob, a list or a table; millions are not held in memory."""

from __future__ import annotations

import csv
import glob
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from zoomvqa.console import say
from zoomvqa.data.annotations import USUAL_NAMES
from zoomvqa.data.find_files import VIDEO_ENDINGS, left_out
from zoomvqa.data.text_files import encoding_of, separator_of
from zoomvqa.errors import UserError

_LISTS = {".txt", ".lst", ".list"}
_TABLES = {".csv", ".tsv"}


@dataclass(frozen=True)
class Input:
    """One video to score.

    Attributes:
        name: in the output.
        place: a path, or an address such as s3://bucket/video.mp4.
    """

    name: str
    place: str


class Inputs:
    """Videos in a fixed order, found anew each time they are walked through.

    Args:
        walk: begins a walk.
    """

    def __init__(self, walk: Callable[[], Iterator[Input]]) -> None:
        self._walk = walk

    def __iter__(self) -> Iterator[Input]:
        return self._walk()

    def count(self) -> int:
        """Return how many there are; they are walked through for that."""
        return sum(1 for _ in self)


def these_inputs(inputs: Iterable[Input]) -> Inputs:
    """Return inputs that are in memory already."""
    held = list(inputs)
    return Inputs(lambda: iter(held))


def find_inputs(text: str) -> Inputs:
    """Return the videos that `text` names, in order; those of a list need not exist.

    Args:
        text: a video, a folder (searched below, hidden files left out), a glob, an address (scheme://…), a text
            file with a path or an address a line, or a table with a header and a column of videos. Relative paths
            in a list or a table are looked up beside it, then in the working folder.

    Raises:
        UserError: nothing is there, or nothing in it is a video. While they are walked through: a list is no text.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        found, others = Inputs(lambda: _in_folder(path)), left_out(path)
        if next(iter(found), None) is None:
            raise UserError(f"input: {_nothing_below(path)}{others and f'; {others}'}")
        if others:
            say(others)
        return found
    if path.is_file():
        if path.suffix.lower() in _LISTS:
            return _some(lambda: _in_list(path), f"there is no path in {path}")
        if path.suffix.lower() in _TABLES:
            column = _column(path)
            return _some(lambda: _in_table(path, column), f"there is no video in the column '{column}' of {path}")
        return these_inputs([Input(text, str(path))])
    if "://" in text:
        return these_inputs([Input(text, text)])
    if glob.has_magic(text):
        files = sorted(Path(f) for f in glob.iglob(str(path), recursive=True))  # noqa: PTH207  `**` from anywhere
        found = these_inputs(Input(str(f), str(f)) for f in files if f.is_file())
        return _some(lambda: iter(found), f"no file matches {text}")
    raise UserError(f"input: no such file or folder: {text}")


def _some(walk: Callable[[], Iterator[Input]], otherwise: str) -> Inputs:
    """Return inputs, of which there is one at least.

    Raises:
        UserError: there is none.
    """
    if next(walk(), None) is None:
        raise UserError(f"input: {otherwise}")
    return Inputs(walk)


def _nothing_below(folder: Path) -> str:
    endings = " ".join(sorted(VIDEO_ENDINGS))
    return f"there is no video below {folder} (endings looked for: {endings})"


def _in_folder(folder: Path) -> Iterator[Input]:
    """Walk below a folder in the order of the paths; links to folders are not followed."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _in_folder(path)
        elif path.suffix.lower() in VIDEO_ENDINGS and not entry.name.startswith("."):
            yield Input(str(path), str(path))


def _in_list(path: Path) -> Iterator[Input]:
    for line in _lines(path):
        name = line.strip()
        if name and not name.startswith("#"):
            yield Input(name, _beside(path, name))


def _column(path: Path) -> str:
    """Return the header of a table's column of videos.

    Raises:
        UserError: it has none, or no row.
    """
    rows = _rows(path)
    first, wanted = next(rows, None), ", ".join(USUAL_NAMES["video"])
    header = {name.strip().lower(): name for name in first or ()}
    column = next((header[name] for name in USUAL_NAMES["video"] if name in header), None)
    if column is None:
        raise UserError(f"input: {path} needs a header with a column of videos (one of: {wanted}) and a row")
    return column


def _in_table(path: Path, column: str) -> Iterator[Input]:
    for row in _rows(path):
        if name := (row.get(column) or "").strip():
            yield Input(name, _beside(path, name))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    lines = _lines(path)
    first = next((line for line in lines if line.strip()), "")
    delimiter, told = separator_of(first)
    table = csv.DictReader(
        lines if told else chain([first], lines),
        delimiter=delimiter, skipinitialspace=True, restkey="", restval="",
    )  # fmt: skip
    try:
        yield from table
    except csv.Error as error:
        raise UserError(f"input: {path} is not a table ({error})") from None


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as handle:
            encoding = encoding_of(handle.read(4))
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as handle:
            yield from handle
    except (OSError, UnicodeError) as error:
        raise UserError(f"input: {path} is not a readable text file ({error})") from None


def _beside(table: Path, name: str) -> str:
    if "://" in name:
        return name
    beside = os.path.join(table.parent, name)  # noqa: PTH118  pathlib would remember every part it has seen
    try:
        return beside if os.path.exists(beside) or not os.path.exists(name) else name  # noqa: PTH110
    except (OSError, ValueError):  # a name that no file can have: scoring it says so in its row
        return beside
