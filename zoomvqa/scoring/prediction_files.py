"""Files of predictions: ours, the release's, and what other people's programs write."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from zoomvqa.data.tables import number_in
from zoomvqa.data.text_files import cells_of, read_text
from zoomvqa.errors import AnnotationError, UserError

_VIDEO = ("video", "name", "filename", "path")
_SCORE = ("prediction", "score", "pred")


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
    """Read a file of lines `video,score`, or a table with columns `video` and `score` (or `prediction`).

    Cells may be parted by commas, semicolons or tabs, and numbers have decimal commas.

    Args:
        path: the file.
        key: of the setting that names it, for messages.

    Raises:
        UserError: it cannot be read, a line is no prediction, or a video is there twice.
    """
    try:
        rows, first = cells_of(path, read_text(path, "file of predictions"))
    except AnnotationError as error:
        raise UserError(f"{key}: {error}") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    video, score = (next((header.index(n) for n in known if n in header), None) for known in (_VIDEO, _SCORE))
    named = video is not None and score is not None
    video, score = (video, score) if named else (0, 1)
    scores: dict[str, float] = {}
    unscored = []
    for number, row in enumerate(rows[1:] if named else rows, start=first + named):
        if not any(cell.strip() for cell in row):
            continue
        # Without a header two cells speak for themselves, more do not.
        name, text = _cells(row, video, score) if named or len(row) == 2 else (None, None)
        value = number_in(text or "")
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
