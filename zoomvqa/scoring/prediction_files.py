"""Files of predictions: ours, the release's, and what other people's programs write."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from zoomvqa.errors import UserError

_VIDEO = ("video", "name", "filename", "path")
_SCORE = ("prediction", "score", "pred")
# What is larger is no score.
_LARGEST = 1e30


class Predictions(NamedTuple):
    """The scores of a file.

    Attributes:
        scores: by video, in the file's order.
        unscored: videos whose score is left empty: they could not be scored.
        released: whether it has the release's form, lines `video,score` without a header.
    """

    scores: dict[str, float]
    unscored: tuple[str, ...]
    released: bool


def read_predictions(path: Path, key: str) -> Predictions:
    """Read a file of lines `video,score`, or a CSV with columns `video` and `score` (or `prediction`).

    Args:
        path: the file.
        key: of the setting that names it, for messages.

    Raises:
        UserError: it cannot be read, a line is no prediction, or a video is there twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.reader(handle, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{key}: {path} is not a readable text file ({reason})") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    video, score = (next((header.index(n) for n in known if n in header), None) for known in (_VIDEO, _SCORE))
    named = video is not None and score is not None
    video, score = (video, score) if named else (0, 1)
    scores: dict[str, float] = {}
    unscored = []
    for number, row in enumerate(rows[1:] if named else rows, start=2 if named else 1):
        if not any(cell.strip() for cell in row):
            continue
        # Without a header two cells speak for themselves, more do not.
        name, text = _cells(row, video, score) if named or len(row) == 2 else (None, None)
        value = _number(text or "")
        if named and text == "" and name:
            unscored.append(name)
            continue
        more = "" if named else " or a header with these names"
        if value is None or not name:
            raise UserError(
                f"{key}: {path}, line {number}: expected video,score{more}, got {','.join(row)[:200]!r}"
            )
        if name in scores:
            raise UserError(f"{key}: {path} lists {name} twice")
        scores[name] = value
    return Predictions(scores, tuple(unscored), released=not named)


def _cells(row: list[str], video: int | None, score: int | None) -> tuple[str | None, str | None]:
    """Return the name and the score of a row, None where it is too short."""
    return tuple(row[at].strip() if at is not None and at < len(row) else None for at in (video, score))  # type: ignore[return-value]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < _LARGEST else None
