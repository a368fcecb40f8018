"""`scripts/fuse.py`: prediction files as one, set-wise, as the release does it with two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.cli.app import OK, run
from zoomvqa.console import say
from zoomvqa.errors import SettingsError, nearest
from zoomvqa.outputs import refuse_inputs
from zoomvqa.scoring.fuse_files import Columns, fuse, fuse_files
from zoomvqa.settings.commands import FuseSettings

_WAYS = "files='{NAME: FILE, NAME: FILE}', or iqa=FILE and vqa=FILE"
Weigh = Callable[[Columns], NDArray[np.float64]]


def main() -> None:
    """Run the command."""
    run("fuse", FuseSettings, _fuse)


def _fuse(settings: FuseSettings) -> int:
    output, files = Path(settings.output).expanduser(), _files(settings)
    if settings.files is None and settings.weights is None:
        _refuse_labels(settings)
        share = 0.5 if settings.share is None else settings.share
        iqa, vqa = files.values()
        count, done = fuse_files(iqa, vqa, output, share, settings.rescaled, overwrite=settings.overwrite)
        say(f"{count} fused scores in {output}; each depends on the others of its set; rescaled already: {done}")
        return OK
    weigh = _weigh(settings, list(files), output)
    columns, weights = fuse(
        files,
        output,
        weigh,
        settings.rescaled,
        prefix="files." if settings.files is not None else "",
        may_be_released=[] if settings.files is not None else ["vqa"],
        overwrite=settings.overwrite,
    )
    shares = ", ".join(f"{name} {weight:.4g}" for name, weight in zip(files, weights, strict=True))
    say(
        f"{len(columns.videos)} fused scores in {output}; each depends on the others of its set; "
        f"rescaled already: {columns.told_rescaled}; weights: {shares}"
    )
    return OK


def _files(settings: FuseSettings) -> dict[str, Path]:
    """Return the files by name.

    Raises:
        SettingsError: there are not two at least, or they are named in both ways.
    """
    pair = {"iqa": settings.iqa, "vqa": settings.vqa}
    if settings.files is not None:
        if beside := next((key for key, value in pair.items() if value is not None), None):
            raise SettingsError(f"{beside}: got {pair[beside]} beside files, expected one of the ways: {_WAYS}")
        if len(settings.files) < 2:
            raise SettingsError(f"files: got {len(settings.files)}, expected two at least: {_WAYS}")
        return {name: Path(file).expanduser() for name, file in settings.files.items()}
    if settings.iqa is None and settings.vqa is None:
        raise SettingsError(f"files: a value is missing; give {_WAYS}")
    if missing := next((key for key, value in pair.items() if value is None), None):
        raise SettingsError(f"{missing}: a value is missing; give {missing}=…")
    return {key: Path(str(file)).expanduser() for key, file in pair.items()}


def _weigh(settings: FuseSettings, names: Sequence[str], output: Path) -> Weigh:
    """Return what gives the weights of the predictions that are read; what can be refused before is."""
    if settings.share is not None:
        rest = f"{1 - settings.share:g}"
        given = f"{{{names[0]}: {settings.share:g}, {names[1]}: {rest}}}" if len(names) == 2 else "{…}"
        raise SettingsError(
            f"share: got {settings.share:g}, expected null beside files or weights; give weights='{given}'"
        )
    if settings.weights == "fit":
        return _fitted(settings, names, output)
    _refuse_labels(settings)
    if isinstance(settings.weights, dict):
        given_weights = normalised(settings.weights, names)
        return lambda _: given_weights
    return lambda _: np.full(len(names), 1.0 / len(names))


def _refuse_labels(settings: FuseSettings) -> None:
    if settings.labels is not None:
        raise SettingsError(f"labels: got {settings.labels}, which weights=fit alone reads; give both or neither")


def normalised(given: Mapping[str, float], names: Iterable[str]) -> NDArray[np.float64]:
    """Return the weight of each name, divided by the sum of all.

    Raises:
        SettingsError: they are not of exactly these names, or all are 0.
    """
    names = list(names)
    if other := next((name for name in given if name not in names), None):
        hint = nearest(other, names)
        raise SettingsError(f"weights.{other}: no file has this name{hint}; expected {', '.join(names)}")
    if missing := [name for name in names if name not in given]:
        raise SettingsError(
            f"weights.{missing[0]}: a value is missing; expected one for each of {', '.join(names)}"
        )
    values = np.array([given[name] for name in names], np.float64)
    if not values.sum() > 0:
        raise SettingsError("weights: all are 0, expected one above 0 at least")
    return values / values.sum()


def _fitted(settings: FuseSettings, names: Sequence[str], output: Path) -> Weigh:
    """Return what fits weights to labels, which are read now."""
    # It draws in what evaluates, which costs a second.
    from zoomvqa.evaluation.fit_files import fit_to_labels, labelled_part  # noqa: PLC0415

    if settings.labels is None:
        raise SettingsError("labels: a value is missing; weights=fit takes labels=TABLE, with the MOS of videos")
    path = Path(settings.labels).expanduser()
    refuse_inputs([output], "labels", [path])
    labelled = labelled_part(path, settings.split)
    of_split = "" if settings.split == "all" else f"{settings.split} "
    told = f"the {len(labelled)} {of_split}videos of {path}"

    def weigh(columns: Columns) -> NDArray[np.float64]:
        found = fit_to_labels(columns, labelled, told)
        without = f"; {found.without} have no prediction" if found.without else ""
        say(f"Weights of {', '.join(names)} fitted on {found.videos} of {told}: PLCC {found.plcc:.4f}{without}")
        return found.weights

    return weigh
