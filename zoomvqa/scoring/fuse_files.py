"""Set-wise fusion of prediction files of any number of branches, as Zoom-VQA's release does with two.

See arXiv 2304.06440. A score depends on all others of its set; `zoomvqa.calibration.fusion` is for those that
should not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.calibration.simplex import weighted
from zoomvqa.errors import UserError, nearest
from zoomvqa.files import whole_file
from zoomvqa.outputs import refuse_foreign, refuse_inputs
from zoomvqa.scoring.prediction_files import Predictions, read_predictions

_SHOWN = 5


@dataclass(frozen=True)
class Columns:
    """The predictions of several files for the same videos, in one scale.

    Attributes:
        names: of the files.
        videos: in the order of the first file.
        scores: (videos, files) float64, 0..100.
        rescaled_before: the files whose scores were taken as they are.
    """

    names: tuple[str, ...]
    videos: tuple[str, ...]
    scores: NDArray[np.float64]
    rescaled_before: tuple[str, ...]

    @property
    def told_rescaled(self) -> str:
        """Which files were taken as they are, for the user."""
        return " and ".join(self.rescaled_before) or ("neither" if len(self.names) == 2 else "none")


def rescaled(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 100 / (1 + e^−z), z = (score − mean) / std over the set, std the population's."""
    if np.ptp(scores) == 0:  # their mean may be off by a rounding
        return np.full_like(scores, 50.0)
    return 100.0 / (1.0 + np.exp(-(scores - scores.mean()) / scores.std()))


def fuse_files(
    iqa: Path, vqa: Path, output: Path, share: float, done: Collection[str] | None, *, overwrite: bool = True
) -> tuple[int, str]:
    """Write `video,score` lines of two branches' fused scores, in the order of the IQA file.

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
        UserError: as `fuse` does.
    """
    files, weights = {"iqa": iqa, "vqa": vqa}, np.array([share, 1 - share])
    columns, _ = fuse(files, output, lambda _: weights, done, may_be_released=["vqa"], overwrite=overwrite)
    return len(columns.videos), columns.told_rescaled


def fuse(
    files: Mapping[str, Path],
    output: Path,
    weigh: Callable[[Columns], NDArray[np.float64]],
    done: Collection[str] | None = None,
    *,
    prefix: str = "",
    may_be_released: Collection[str] = (),
    overwrite: bool = True,
) -> tuple[Columns, NDArray[np.float64]]:
    """Write `video,score` lines of the weighted average of files, in the order of the first one.

    Args:
        files: by name, two at least; see `read_columns`, also for `done`, `prefix` and `may_be_released`.
        output: the file to write.
        weigh: gives the (files,) weights of what was read; their sum is 1.
        done: which files are rescaled already.
        prefix: of the files' keys in messages.
        may_be_released: files that may have the release's form.
        overwrite: replace a file at `output` that holds anything else than what is to be written.

    Returns:
        What was read, and the weights.

    Raises:
        UserError: as `read_columns` does. Or the output is one of the files, or another file.
    """
    for name, path in files.items():
        refuse_inputs([output], f"{prefix}{name}", [path])
    columns = read_columns(files, done, prefix=prefix, may_be_released=may_be_released)
    weights = weigh(columns)
    _write(output, columns, weights, overwrite=overwrite)
    return columns, weights


def read_columns(
    files: Mapping[str, Path],
    done: Collection[str] | None,
    *,
    prefix: str = "",
    may_be_released: Collection[str] = (),
) -> Columns:
    """Read prediction files and bring each to 0..100 by its own set.

    Args:
        files: by name, two at least.
        done: which of them are rescaled to 0..100 already; None: those of `may_be_released` in its form.
        prefix: what stands before a file's name in the key that names it, for messages.
        may_be_released: files that hold rescaled scores where they are lines without a header, the
            release's form.

    Raises:
        UserError: a file is wrong, or they do not list the same videos; the differences are named. Or `done` has
            what is no name of a file, or one whose scores are outside 0..100.
    """
    for at, name in enumerate(done or ()):
        if name not in files:
            choices = " or ".join(repr(known) for known in files)
            raise UserError(f"rescaled.{at}: got {name!r}, expected {choices}{nearest(name, files)}")
    found = {name: _whole(path, f"{prefix}{name}") for name, path in files.items()}
    videos = tuple(next(iter(found.values())).scores)
    _refuse_others({name: file.scores for name, file in found.items()}, "files" if prefix else ", ".join(files))
    if done is None:
        done = {name for name in may_be_released if found[name].released}
    columns = []
    for name, file in found.items():
        values = np.array([file.scores[video] for video in videos], dtype=np.float64)
        if name in done and (values.min() < 0 or values.max() > 100):
            raise UserError(
                f"rescaled: the {name} file has scores outside 0..100 ({values.min():.4g} to {values.max():.4g}); "
                f"leave {name} out of the list"
            )
        columns.append(values if name in done else rescaled(values))
    return Columns(tuple(files), videos, np.stack(columns, axis=1), tuple(sorted(set(done))))


def _write(output: Path, columns: Columns, weights: NDArray[np.float64], *, overwrite: bool) -> None:
    fused = weighted(columns.scores, weights)
    held = io.StringIO(newline="")
    csv.writer(held, lineterminator="\n").writerows(zip(columns.videos, map(repr, fused.tolist()), strict=True))
    text = held.getvalue()
    if not overwrite:  # lines without a header do not tell who wrote them; the same ones do no harm
        way = "give another name, or overwrite=true"
        refuse_foreign(output, lambda path: path.read_bytes() == text.encode("utf-8", "backslashreplace"), way)
    with whole_file(output, newline="") as handle:
        handle.write(text)


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


def _refuse_others(files: Mapping[str, Collection[str]], key: str) -> None:
    """Refuse files that do not list the same videos, and say which are only in which of them."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for video in dict.fromkeys(video for videos in files.values() for video in videos):
        there = tuple(name for name, videos in files.items() if video in videos)
        if len(there) < len(files):
            groups.setdefault(there, []).append(video)
    if groups:
        parts = [f"{len(v)} only in {' and '.join(there)} ({_some(v)})" for there, v in groups.items()]
        more = f"; and {len(parts) - _SHOWN} more such groups" if len(parts) > _SHOWN else ""
        told = "; ".join(parts[:_SHOWN])
        raise UserError(f"{key}: the files do not list the same videos: {told}{more}")


def _some(videos: Sequence[str]) -> str:
    more = f" and {len(videos) - _SHOWN} more" if len(videos) > _SHOWN else ""
    return f"{', '.join(videos[:_SHOWN])}{more}"
