"""Files of the field as tables of text: with a header or without, JSON of the release, MATLAB files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoomvqa.data.text_files import cells_of, read_text
from zoomvqa.errors import AnnotationError

# What lines without a header hold, by how many cells they have.
_LINES = {2: ["video", "mos"], 4: ["video", "duration", "fps", "mos"]}

# Numbers as tables have them. Python's float also takes 4_5, which is 45, and digits of any script.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
# What is larger is no opinion.
_LARGEST = 1e30
# So much of a name or a row is told.
_SHOWN = 200


@dataclass(frozen=True)
class TableFile:
    """A table of text.

    Attributes:
        path: the file.
        header: names of the columns, unique or empty.
        rows: cells, as many as the header has or more.
        first: what number the first row has for the user.
        rounded: columns of whole numbers where there once were decimals.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    first: int = 1
    rounded: frozenset[str] = frozenset()


def read_table(path: Path, header: Sequence[str] | None = None) -> TableFile:
    """Read a file of labels.

    Args:
        path: a CSV (comma, semicolon or tab, or what a first line `sep=` tells; decimal commas; UTF-8, or UTF-16
            with its mark), `path, duration, fps, mos` or `path, mos` lines, the Zoom-VQA release's JSON
            `{"train": [[frame folder, number of frames, mos], …], "val": …}`, or a MATLAB file up to version 7.2.
        header: names of the columns of lines without a header; None is what the field has there.

    Raises:
        AnnotationError: the file is missing, empty or none of these; the message has the line and what it holds.
    """
    if path.suffix.lower() == ".mat":
        return _from_matlab(path)
    text = read_text(path)
    if path.suffix.lower() == ".json":
        return _from_json(path, text)
    rows, first = cells_of(path, text)
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise AnnotationError(f"{path}: no video is listed in it")
    if header is None and _is_header(rows[0]):
        names = [cell.strip() for cell in rows[0]]
        return _checked(TableFile(path, names, rows[1:], first + 1), f"cells where the header has {len(names)}")
    names = list(header) if header else _LINES.get(len(rows[0]), _LINES[4])
    for number, row in enumerate(rows, start=first):
        if len(row) != len(names):
            got = ",".join(row)[:_SHOWN]
            raise AnnotationError(f"{path}, row {number}: expected `{_told(names)}`, got {got!r}")
    return TableFile(path, names, rows, first)


def _told(names: Sequence[str]) -> str:
    return "path, duration, fps, mos" if list(names) in _LINES.values() else ", ".join(names)


def _checked(table: TableFile, expected: str) -> TableFile:
    for number, row in enumerate(table.rows, start=table.first):
        # More are decimal commas, or commas in names, without quotes; empty ones do no harm.
        if len(row) < len(table.header) or any(cell.strip() for cell in row[len(table.header) :]):
            raise AnnotationError(f"{table.path}, row {number}: {len(row)} {expected}")
    return table


def number_in(text: str) -> float | None:
    """Return the finite number that a cell holds, also with a decimal comma, or None."""
    cleaned = text.strip()
    if _DECIMAL_COMMA.fullmatch(cleaned):
        cleaned = cleaned.replace(",", ".")
    if not _NUMBER.fullmatch(cleaned):
        return None
    value = float(cleaned)
    return value if abs(value) < _LARGEST else None


def _is_header(row: Sequence[str]) -> bool:
    return not any(_may_be_number(cell) for cell in (row[-1], *row[1:]))


def _may_be_number(text: str) -> bool:
    """Tell whether a cell stands where a number was meant: no column is called 4_5 or nan."""
    try:
        float(text.strip().replace(",", "."))
    except ValueError:
        return False
    return True


def _from_json(path: Path, text: str) -> TableFile:
    try:
        table: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{path}: not JSON ({error})") from None
    if not isinstance(table, dict) or not all(isinstance(rows, list) for rows in table.values()):
        raise AnnotationError(f'{path}: expected {{"train": [[folder, frames, mos], …], "val": …}}')
    rows = []
    for part, found in table.items():
        for number, row in enumerate(found, start=1):
            if not isinstance(row, list) or len(row) not in {2, 3} or not isinstance(row[0], str):
                raise AnnotationError(f"{path}, {part} {number}: expected [folder, frames, mos], got {row!r}")
            rows.append([row[0], str(row[-1]), part])
    return TableFile(path, ["video", "mos", "split"], rows)


def _from_matlab(path: Path) -> TableFile:
    """Return the columns of a MATLAB file: the arrays, also within structs, that have as many entries as most."""
    from scipy.io import loadmat  # noqa: PLC0415  few files are of this kind

    if not path.is_file():
        raise AnnotationError(f"no such annotation file: {path}")
    try:
        content = loadmat(path)
    except NotImplementedError:
        raise AnnotationError(f"{path}: a MATLAB 7.3 file; save it with -v7, or as CSV") from None
    except Exception as error:  # noqa: BLE001  what a damaged file ends in is the reader's
        raise AnnotationError(f"{path}: not a MATLAB file ({' '.join(str(error).split())})") from None
    columns = {
        name: found for key, value in content.items() if key[:2] != "__" for name, found in _arrays(key, value)
    }
    lengths = Counter(len(found) for found in columns.values())
    if not lengths:
        raise AnnotationError(f"{path}: no columns in it")
    most = max(lengths, key=lambda n: (lengths[n], n))
    kept = {name: found for name, found in columns.items() if len(found) == most}
    rounded = frozenset(
        n for n, found in kept.items() if isinstance(found, np.ndarray) and found.dtype.kind in "iu"
    )
    texts = [[_text(cell) for cell in found] for found in kept.values()]
    return TableFile(path, list(kept), [list(row) for row in zip(*texts, strict=True)], rounded=rounded)


def _text(cell: Any) -> str:
    """Return a cell as text; MATLAB has whole numbers as floats, also where they are names."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() and abs(cell) >= 1e5 else str(cell)


def _arrays(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the columns within a variable: numbers as an array, texts as a list."""
    if not isinstance(value, np.ndarray) or not value.size:
        return
    if value.dtype.names:
        for field in value.dtype.names:
            if value.size == 1:
                yield from _arrays(field, value.flat[0][field])
            else:  # an array of structs, one a video
                entries = np.empty(value.size, dtype=object)
                for at, entry in enumerate(value.flat):
                    entries[at] = entry[field]
                yield from _arrays(field, entries)
    elif value.dtype == object:
        cells = [np.asarray(cell) for cell in value.flat]
        if all(cell.size == 1 for cell in cells):
            yield name, [cell.item() for cell in cells]
    elif value.dtype.kind in "fiu":
        yield name, value.reshape(-1)
    elif value.dtype.kind == "U":
        yield name, [str(cell).strip() for cell in value.flat]
