"""Which videos a user means: a file, a folder, a glob, a list or a table."""

from __future__ import annotations

import csv
import glob
from dataclasses import dataclass
from pathlib import Path

from zoomvqa.data.annotations import USUAL_NAMES
from zoomvqa.data.find_files import VIDEO_ENDINGS
from zoomvqa.errors import UserError

_LISTS = {".txt", ".lst", ".list"}
_TABLES = {".csv", ".tsv"}


@dataclass(frozen=True)
class Input:
    """One video to score: its name in the output, and where it is."""

    name: str
    path: Path


def find_inputs(text: str) -> list[Input]:
    """Return the videos that `text` names, in order; those of a list need not exist.

    Args:
        text: a video, a folder (searched below, hidden files left out), a glob, a text file with a path a
            line, or a table with a header and a column of videos. Relative paths in a list or a table are
            looked up beside it, then in the working folder.

    Raises:
        UserError: nothing is there, or nothing in it is a video.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        if path.suffix.lower() in _LISTS:
            return _in_list(path)
        return _in_table(path) if path.suffix.lower() in _TABLES else [Input(text, path)]
    if glob.has_magic(text):
        files = sorted(Path(f) for f in glob.glob(str(path), recursive=True))  # noqa: PTH207  `**` from anywhere
        found = [Input(str(f), f) for f in files if f.is_file()]
        if not found:
            raise UserError(f"input: no file matches {text}")
        return found
    raise UserError(f"input: no such file or folder: {text}")


def _in_folder(folder: Path) -> list[Input]:
    files = sorted(
        f for f in folder.rglob("*") if f.suffix.lower() in VIDEO_ENDINGS and not f.name.startswith(".")
    )
    if not files:
        endings = " ".join(sorted(VIDEO_ENDINGS))
        raise UserError(f"input: there is no video below {folder} (endings looked for: {endings})")
    return [Input(str(f), f) for f in files]


def _in_list(path: Path) -> list[Input]:
    lines = [line.strip() for line in _read(path).splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        raise UserError(f"input: there is no path in {path}")
    return [Input(name, _beside(path, name)) for name in names]


def _in_table(path: Path) -> list[Input]:
    text = _read(path)
    first = text.splitlines()[0] if text.strip() else ""
    table = csv.DictReader(text.splitlines(), delimiter=max(";\t,", key=first.count), restkey="", restval="")
    try:
        rows = list(table)
    except csv.Error as error:
        raise UserError(f"input: {path} is not a table ({error})") from None
    header = {name.strip().lower(): name for name in table.fieldnames or () if rows}
    column = next((header[name] for name in USUAL_NAMES["video"] if name in header), None)
    if column is None:
        wanted = ", ".join(USUAL_NAMES["video"])
        raise UserError(f"input: {path} needs a header with a column of videos (one of: {wanted}) and a row")
    names = [row[column].strip() for row in rows if row[column] and row[column].strip()]
    if not names:
        raise UserError(f"input: there is no video in the column '{column}' of {path}")
    return [Input(name, _beside(path, name)) for name in names]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"input: {path} is not a readable text file ({error})") from None


def _beside(table: Path, name: str) -> Path:
    beside = table.parent / name
    try:
        return beside if beside.exists() or not Path(name).exists() else Path(name)
    except OSError:  # a name that no file can have: scoring it says so in its row
        return beside
