"""Set-wise fusion of prediction files, as Zoom-VQA was released with (arXiv 2304.06440).

A score depends on all others of its set; `zoomvqa.calibration.fusion` is for those that should not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import UserError
from zoomvqa.files import whole_file
from zoomvqa.outputs import refuse_foreign, refuse_inputs
from zoomvqa.scoring.prediction_files import Predictions, read_predictions

_SHOWN = 5


def rescaled(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 100 / (1 + e^−z), z = (score − mean) / std over the set, std the population's."""
    if np.ptp(scores) == 0:  # their mean may be off by a rounding
        return np.full_like(scores, 50.0)
    return 100.0 / (1.0 + np.exp(-(scores - scores.mean()) / scores.std()))


def fuse_files(
    iqa: Path, vqa: Path, output: Path, share: float, done: Collection[str] | None, *, overwrite: bool = True
) -> tuple[int, str]:
    """Write `video,score` lines of the fused scores, in the order of the IQA file.

    Args:
        iqa: predictions of the IQA branch.
        vqa: predictions of the VQA branch; any order.
        output: the file to write.
        share: of the IQA branch, 0..1.
        done: which of `iqa` and `vqa` are rescaled to 0..100 already; None is `vqa` where that file has the
            release's form, whose VQA predictions are.
        overwrite: replace a file at `output` that holds anything else than what is to be written.

    Returns:
        How many, and which were taken as rescaled already.

    Raises:
        UserError: a file is wrong, or they do not list the same videos; the differences are named. Or the output
            is one of them, or another file.
    """
    refuse_inputs([output], "iqa", [iqa])
    refuse_inputs([output], "vqa", [vqa])
    files = {"iqa": _whole(iqa, "iqa"), "vqa": _whole(vqa, "vqa")}
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
    held = io.StringIO(newline="")
    csv.writer(held, lineterminator="\n").writerows(zip(names, map(repr, fused.tolist()), strict=True))
    text = held.getvalue()
    if not overwrite:  # lines without a header do not tell who wrote them; the same ones do no harm
        way = "give another name, or overwrite=true"
        refuse_foreign(output, lambda path: path.read_bytes() == text.encode("utf-8", "backslashreplace"), way)
    with whole_file(output, newline="") as handle:
        handle.write(text)
    return len(names), " and ".join(sorted(done)) or "neither"


def _whole(path: Path, key: str) -> Predictions:
    """Read a file whose scores can be scaled by each other: two at least, and none left out."""
    found = read_predictions(path, key)
    if found.unscored:
        raise UserError(
            f"{key}: {path} has no score for {len(found.unscored)} videos, such as {found.unscored[0]}"
        )
    if len(found.scores) < 2:
        raise UserError(
            f"{key}: {path} has {len(found.scores)} predictions; scaling them by each other takes at least two"
        )
    return found


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
