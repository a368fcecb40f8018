"""Checks a labelled set: its rows, its files, and the whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from zoomvqa.checking.findings import Checked, Finding, findings, some
from zoomvqa.checking.probe import Probe, Question, probe
from zoomvqa.console import progress
from zoomvqa.data.annotations import Label
from zoomvqa.data.contents import with_contents
from zoomvqa.data.find_files import look_for
from zoomvqa.data.labelled_set import LabelledVideo, labels_of
from zoomvqa.data.split import assign_splits, deal
from zoomvqa.errors import AnnotationError
from zoomvqa.files import file_key
from zoomvqa.isolated import Lost, run_isolated
from zoomvqa.journal import open_journal
from zoomvqa.settings.data import DataSettings

# Of what is kept; another one is looked at anew.
_FORMAT = [field.name for field in fields(Probe)]


@dataclass(frozen=True)
class Effort:
    """How files are looked at.

    Attributes:
        workers: processes.
        decode: decode all of each, not the first frame alone.
        seconds: that a file may take.
    """

    workers: int
    decode: bool
    seconds: float


def check_set(settings: DataSettings, output: Path, effort: Effort) -> tuple[list[Checked], list[Finding]]:
    """Return the rows of a set with what their files are, and what there is to know of the whole.

    What was found of a file is kept in `<output>/probes.part`; one that has not changed is not looked at again.

    Raises:
        AnnotationError: the annotations cannot be read, or the root is no folder.
    """
    labels = labels_of(settings)
    known, more = _once(labels)
    root = Path(settings.root).expanduser()
    if not root.is_dir():
        raise AnnotationError(f"data.root is not a folder: {root}")
    paths = look_for([x.video for x in known], root, settings.endings, frames=settings.layout == "frames")
    known = _with_contents(known, paths, settings)
    splits = _splits(known, settings)
    found = _look([p for p in paths if isinstance(p, Path)], settings, output, effort)
    rows = []
    for label, split, path in zip(known, splits, paths, strict=True):
        place, trouble = (path, "") if isinstance(path, Path) else (Path(label.video), path)
        video = LabelledVideo(label.video, place, label.mos, label.content or label.video, split, label.std)
        rows.append(Checked(video, found.get(place), trouble))
    return rows, [*more, *_shared(rows), *findings(rows, settings.mos_range)]


def _with_contents(labels: Sequence[Label], paths: Sequence[Path | str], settings: DataSettings) -> list[Label]:
    """Return the labels with the contents that training would guess; videos that are not there have none."""
    there = [(label, path) for label, path in zip(labels, paths, strict=True) if isinstance(path, Path)]
    made, _ = with_contents(settings, [label for label, _ in there], [path for _, path in there])
    found = {label.video: label for label in made}
    return [found.get(label.video, label) for label in labels]


def _once(labels: Sequence[Label]) -> tuple[list[Label], list[Finding]]:
    """Return each label once, and which there were several of."""
    rows: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        rows[label.video].append(label)
    twice = {video: found for video, found in rows.items() if len(found) > 1}
    if not twice:
        return list(labels), []
    sides = sum(len({label.split for label in found}) > 1 for found in twice.values())
    scores = sum(len({label.mos for label in found}) > 1 for found in twice.values())
    text = f"{len(twice)} videos are listed more than once ({sides} on two sides of the split, {scores} with "
    return [found[-1] for found in rows.values()], [
        Finding("problem", f"{text}different scores): {some(list(twice))}")
    ]


def _splits(labels: Sequence[Label], settings: DataSettings) -> list[str]:
    """Return each label's split; where the annotation tears contents apart, as it is told."""
    try:
        return assign_splits(labels, settings.val_share, settings.test_share, settings.split_seed)
    except AnnotationError:  # contents on two sides, which are told with the whole
        contents = Counter(label.content or label.video for label in labels if label.split is None)
        dealt = deal(contents, settings.val_share, settings.test_share, settings.split_seed)
        return [label.split or dealt[label.content or label.video] for label in labels]


def _shared(rows: Sequence[Checked]) -> list[Finding]:
    places = Counter(row.video.path for row in rows if not row.trouble)
    twice = [str(path) for path, times in places.items() if times > 1]
    return (
        [Finding("problem", f"{len(twice)} files are meant by more than one row: {some(twice)}")] if twice else []
    )


def _look(paths: Sequence[Path], settings: DataSettings, output: Path, effort: Effort) -> dict[Path, Probe]:
    """Look at the files that are not known yet, several at a time."""
    with open_journal(output / "probes.part", _FORMAT) as kept, progress() as bar:
        keys = {path: _key(path, settings, effort) for path in dict.fromkeys(paths)}
        found = {path: _probe(kept[key]) for path, key in keys.items() if key in kept}
        # What could not be used is looked at again.
        found = {path: known for path, known in found.items() if not known.error}
        task = bar.add_task("Looking at files", total=len(keys), completed=len(found))
        questions = {
            Question(str(path), settings.reader, effort.decode): path for path in keys if path not in found
        }
        results = run_isolated(
            probe, questions, workers=effort.workers, seconds=effort.seconds, preload="zoomvqa.checking.probe"
        )
        for question, result in results:
            path = questions[question]
            found[path] = Probe(error=result.reason) if isinstance(result, Lost) else result
            kept.write(keys[path], asdict(found[path]))
            bar.advance(task)
    return found


def _probe(entry: dict[str, Any]) -> Probe:
    return Probe(**entry | {"complaints": tuple(entry["complaints"])})


def _key(path: Path, settings: DataSettings, effort: Effort) -> str:
    return f"{file_key(str(path.absolute()), path)}|{settings.reader}|{effort.decode}"
