"""Set-wise fusion of prediction files, as Zoom-VQA was released with (arXiv 2304.06440).

A score depends on all others of its set; `zoomvqa.calibration.fusion` is for those that should not.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import UserError
from zoomvqa.files import whole_file

_SHOWN = 5


def read_predictions(path: Path, key: str) -> dict[str, float]:
    """Return the scores of a file of lines `video,score`, or of a CSV with columns `video` and `score`, in order.

    Args:
        path: the file.
        key: of the setting that names it, for messages.

    Raises:
        UserError: it cannot be read, a line is no prediction, or a video is there twice.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{key}: {path} is not a readable text file ({error})") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    named = {"video", "score"} <= set(header)
    video, score = (header.index("video"), header.index("score")) if named else (0, -1)
    scores: dict[str, float] = {}
    for number, row in enumerate(rows[1:] if named else rows, start=2 if named else 1):
        if not any(cell.strip() for cell in row):
            continue
        value = _number(row[score]) if len(row) > 1 else None
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
    return scores


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


def fuse_files(iqa: Path, vqa: Path, output: Path, share: float, done: Collection[str]) -> int:
    """Write `video,score` lines of the fused scores, in the order of the IQA file; return how many.

    Args:
        iqa: predictions of the IQA branch.
        vqa: predictions of the VQA branch; any order.
        output: the file to write.
        share: of the IQA branch, 0..1.
        done: which of `iqa` and `vqa` are rescaled to 0..100 already.

    Raises:
        UserError: a file is wrong, or they do not list the same videos; the differences are named.
    """
    files = {"iqa": read_predictions(iqa, "iqa"), "vqa": read_predictions(vqa, "vqa")}
    _refuse_others(files["iqa"], files["vqa"])
    names = list(files["iqa"])
    columns = {}
    for key, scores in files.items():
        values = np.array([scores[name] for name in names], dtype=np.float64)
        if key in done and (values.min() < 0 or values.max() > 100):
            raise UserError(
                f"rescaled: the {key} file has scores outside 0..100 ({values.min():.4g} to {values.max():.4g}); "
                f"leave {key} out of the list"
            )
        columns[key] = values if key in done else rescaled(values)
    fused = share * columns["iqa"] + (1 - share) * columns["vqa"]
    with whole_file(output) as handle:
        handle.writelines(f"{name},{score!r}\n" for name, score in zip(names, fused.tolist(), strict=True))
    return len(names)


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
