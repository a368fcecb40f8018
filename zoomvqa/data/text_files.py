"""Files of text as users have them: their encoding, their line ends, and what stands between cells."""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path

from zoomvqa.errors import AnnotationError

# The marks that files of text begin with, longer ones first, and what reads them.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# So much of a name is told.
_SHOWN = 200
# What Excel's own files begin with.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# A first line by which Excel is told what stands between cells.
_SEPARATOR = re.compile(r'"?sep=([^"\w])"?', re.IGNORECASE)


def encoding_of(start: bytes) -> str:
    """Return the encoding that a file's mark tells, or UTF-8.

    Args:
        start: its first bytes, four at least if it has them.
    """
    return next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")


def separator_of(line: str) -> tuple[str, bool]:
    """Return what stands between cells, and whether this first line only tells that (`sep=;`)."""
    if told := _SEPARATOR.fullmatch(line.strip(" \r\n")):
        return told[1], True
    return max(";\t,", key=line.count), False  # with as many of each, commas are decimal ones


def read_text(path: Path, what: str = "annotation file") -> str:
    """Return the text of a file, every line ended by a newline alone.

    Another encoding than its mark tells, or UTF-8, is not guessed.

    Args:
        path: of the file.
        what: it is for the user.

    Raises:
        AnnotationError: it is missing, empty, a workbook, or no text.
    """
    try:
        if not path.is_file():  # a pipe has no end, nor has a device
            raise AnnotationError(f"{'not a file' if path.exists() else f'no such {what}'}: {path}")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AnnotationError(f"{str(path)[:_SHOWN]}: not a readable text file ({reason})") from None
    text = _decoded(path, data)
    if not text.strip():
        raise AnnotationError(f"{path}: the file is empty")
    return text


def cells_of(path: Path, text: str) -> tuple[list[list[str]], int]:
    """Return the cells of every row of a table, and what number the first has for the user.

    Args:
        path: for messages.
        text: with a comma, a semicolon or a tab between cells, or what a first line `sep=` tells.

    Raises:
        AnnotationError: it is no table.
    """
    text = text.lstrip("\n")
    first, _, rest = text.partition("\n")
    delimiter, told = separator_of(first)
    try:
        table = csv.reader(io.StringIO(rest if told else text), delimiter=delimiter, skipinitialspace=True)
        return list(table), 2 if told else 1
    except csv.Error as error:
        raise AnnotationError(f"{path}: not a table ({error})") from None


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith(_WORKBOOKS):
        raise AnnotationError(f"{path}: an Excel workbook, no text; save it as 'CSV UTF-8'")
    encoding = encoding_of(data[:4])
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        kind = "perhaps Windows-1252, Excel's plain CSV; save it as 'CSV UTF-8'"
        hint = kind if encoding == "utf-8" and b"\0" not in data else "it is damaged, or no text"
        row = data.count(b"\n", 0, error.start) + 1
        raise AnnotationError(
            f"{path}: not a readable text file: row {row} is not {encoding.removesuffix('-sig').upper()} ({hint})"
        ) from None
    if "\0" in text:
        raise AnnotationError(
            f"{path}: not a readable text file: there are zero bytes in it (UTF-16 without a mark? save as UTF-8)"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")
