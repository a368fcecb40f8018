"""Set-wise fusion of prediction files, as Zoom-VQA was released with (arXiv 2304.06440).

A score depends on all others of its set; `zoomvqa.calibration.fusion` is for those that should not.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import UserError
from zoomvqa.files import whole_file

_SHOWN = 5


class Predictions(NamedTuple):
    """The scores of a file.

    Attributes:
        scores: by video, in the file's order.
        released: whether it has the release's form, lines `video,score` without a header.
    """

    scores: dict[str, float]
    released: bool


def read_predictions(path: Path, key: str) -> Predictions:
    """Read a file of lines `video,score`, or a CSV with columns `video` and `score`.

    Args:
        path: the file.
        key: of the setting that names it, for messages.

    Raises:
        UserError: it cannot be read, a line is no prediction, or a video is there twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.reader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{key}: {path} is not a readable text file ({error})") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    named = {"video", "score"} <= set(header)
    video, score = (header.index("video"), header.index("score")) if named else (0, -1)
    scores: dict[str, float] = {}
    for number, row in enumerate(rows[1:] if named else rows, start=2 if named else 1):
        if not any(cell.strip() for cell in row):
            continue
        value = _number(row[score]) if len(row) > max(video, score, 1) else None
        if value is None:
            raise UserError(f"{key}: {path}, line {number}: expected video,score, got {','.join(row)!r}")
        name = row[video].strip()
        if name in scores:
            raise UserError(f"{key}: {path} lists {name} twice")
        scores[name] = value
    if len(scores) < 2:
        raise UserError(
            f"{key}: {path} has {len(scores)} predictions; scaling them by each other takes at least two"
        )
    return Predictions(scores, released=not named)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def rescaled(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 100 / (1 + e^−z), z = (score − mean) / std over the set, std the population's."""
    spread = scores.std()
    return 100.0 / (1.0 + np.exp(-(scores - scores.mean()) / (spread or 1.0)))


def fuse_files(iqa: Path, vqa: Path, output: Path, share: float, done: Collection[str] | None) -> tuple[int, str]:
    """Write `video,score` lines of the fused scores, in the order of the IQA file.

    Args:
        iqa: predictions of the IQA branch.
        vqa: predictions of the VQA branch; any order.
        output: the file to write.
        share: of the IQA branch, 0..1.
        done: which of `iqa` and `vqa` are rescaled to 0..100 already; None is `vqa` where that file has the
            release's form, whose VQA predictions are.

    Returns:
        How many, and which were taken as rescaled already.

    Raises:
        UserError: a file is wrong, or they do not list the same videos; the differences are named.
    """
    if output.exists() and any(output.samefile(path) for path in (iqa, vqa) if path.exists()):
        raise UserError(f"output: {output} is one of the files to fuse")
    files = {"iqa": read_predictions(iqa, "iqa"), "vqa": read_predictions(vqa, "vqa")}
    names = list(files["iqa"].scores)
    _refuse_others(files["iqa"].scores, files["vqa"].scores)
    done = {"vqa"} & {key for key, file in files.items() if file.released} if done is None else set(done)
    columns = {}
    for key, file in files.items():
        values = np.array([file.scores[name] for name in names], dtype=np.float64)
        if key in done and (values.min() < 0 or values.max() > 100):
            raise UserError(
                f"rescaled: the {key} file has scores outside 0..100 ({values.min():.4g} to {values.max():.4g}); "
                f"leave {key} out of the list"
            )
        columns[key] = values if key in done else rescaled(values)
    fused = share * columns["iqa"] + (1 - share) * columns["vqa"]
    with whole_file(output, newline="") as handle:
        rows = zip(names, map(repr, fused.tolist()), strict=True)
        csv.writer(handle, lineterminator="\n").writerows(rows)
    return len(names), " and ".join(sorted(done)) or "neither"


def _refuse_others(iqa: Collection[str], vqa: Collection[str]) -> None:
    """Refuse files that do not list the same videos."""
    parts = []
    for one, other, key in ((iqa, vqa, "iqa"), (vqa, iqa, "vqa")):
        alone = [name for name in one if name not in other]
        if alone:
            more = f" and {len(alone) - _SHOWN} more" if len(alone) > _SHOWN else ""
            parts.append(f"{len(alone)} only in {key} ({', '.join(alone[:_SHOWN])}{more})")
    if parts:
        raise UserError(f"iqa, vqa: the files do not list the same videos: {'; '.join(parts)}")
