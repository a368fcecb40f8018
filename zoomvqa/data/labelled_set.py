"""A labelled set on this machine: annotation rows joined with the files they speak of, and split by content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoomvqa.console import say
from zoomvqa.data.annotations import Label, NoScoresError, read_labels
from zoomvqa.data.contents import unknown_contents, with_contents
from zoomvqa.data.find_files import MISSING, find_files, look_for
from zoomvqa.data.split import assign_splits
from zoomvqa.errors import AnnotationError
from zoomvqa.settings.data import Contents, DataSettings, SplitName


@dataclass(frozen=True)
class LabelledVideo:
    """One video of a labelled set.

    Attributes:
        name: as the annotation has it.
        path: the file, or the folder of its extracted frames.
        mos: mean opinion score in the set's own scale.
        content: group of videos from one source; the video's own name where nothing is known.
        split: train, val or test.
        std: standard deviation of the opinions, if known.
        groups: what else figures are told by, such as a distortion: values by column.
        set: number of the set it is from, where several are joined.
        votes: number of opinions that the MOS is the mean of, if known.
    """

    name: str
    path: Path
    mos: float
    content: str
    split: str
    std: float | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    set: int = 0
    votes: float | None = None


@dataclass(frozen=True)
class LabelledSet:
    """The videos of a set, all of them on disk, and the scale of their scores.

    Attributes:
        name: of the set.
        videos: in the annotation's order.
        mos_range: lowest and highest score.
        sets: names of the sets that are joined in it; empty where it is one.
        weights: how much the loss of the videos of each of them counts.
        contents: how it is known which videos show one content.
        drawn: whether the split was drawn at random, as a whole or in part; otherwise the annotation tells it.
    """

    name: str
    videos: tuple[LabelledVideo, ...]
    mos_range: tuple[float, float]
    sets: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    contents: Contents = "known"
    drawn: bool = False

    @property
    def split_facts(self) -> dict[str, str]:
        """How it was split, as figures and checkpoints tell it: `contents`, and `split` as `drawn` or `given`."""
        return {"contents": self.contents, "split": "drawn" if self.drawn else "given"}

    def part(self, split: str) -> tuple[LabelledVideo, ...]:
        """Return the videos of `train`, `val` or `test` in the annotation's order.

        Raises:
            AnnotationError: there are none.
        """
        chosen = tuple(v for v in self.videos if v.split == split)
        if not chosen:
            present = sorted({v.split for v in self.videos})
            raise AnnotationError(
                f"the set {self.name} has no {split} videos, only: {', '.join(present)}; give them in a split "
                f"column, a file a split, or data.{split}_share"
            )
        return chosen


def load_set(settings: DataSettings) -> LabelledSet:
    """Read the annotations of a set, find every file, and fix the split.

    Raises:
        AnnotationError: an annotation file is wrong, files are missing (all are listed), a name is listed
            twice, or a content is on both sides of the split.
    """
    labels = labels_of(settings)
    _refuse_twice(labels)
    root = Path(settings.root).expanduser()
    frames = settings.layout == "frames"
    if settings.missing == "skip" and root.is_dir():
        looked = look_for([label.video for label in labels], root, settings.endings, frames=frames)
        there = [label for label, found in zip(labels, looked, strict=True) if found != MISSING]
        if len(there) < len(labels):
            say(f"{len(labels) - len(there)} of {len(labels)} videos of {settings.name} are not there: left out")
        labels = there or labels
    names = [label.video for label in labels]
    paths = find_files(names, root, settings.endings, frames=frames)
    labels, contents = with_contents(settings, labels, paths)
    return _joined(settings, labels, paths, contents)


def load_without_files(settings: DataSettings) -> LabelledSet:
    """Read the annotations of a set and fix the split; the videos need not be there, their paths are their names.

    Raises:
        AnnotationError: an annotation file is wrong, a name is listed twice, or a content is on both sides.
    """
    labels = labels_of(settings)
    _refuse_twice(labels)
    labels, contents = with_contents(settings, labels, None)
    return _joined(settings, labels, [Path(label.video) for label in labels], contents)


def _joined(
    settings: DataSettings, labels: Sequence[Label], paths: Sequence[Path], contents: Contents
) -> LabelledSet:
    splits = assign_splits(labels, settings.val_share, settings.test_share, settings.split_seed)
    # Without shares everything is trained on: nothing is drawn.
    shares = settings.val_share > 0 or settings.test_share > 0
    drawn = shares and any(label.split != split for label, split in zip(labels, splits, strict=True))
    if drawn and contents == "unknown":
        say(unknown_contents(labels, settings.name))
    videos = tuple(
        LabelledVideo(
            label.video,
            path,
            label.mos,
            label.content or label.video,
            split,
            label.std,
            dict(label.groups),
            votes=label.votes,
        )
        for label, path, split in zip(labels, paths, splits, strict=True)
    )
    videos = _fewer(videos, settings.limit, overfit=settings.overfit)
    scores = [v.mos for v in videos if v.split == "train"] or [v.mos for v in videos]
    scale = settings.mos_range or (min(scores), max(scores))
    return LabelledSet(settings.name, videos, scale, contents=contents, drawn=drawn)


def _fewer(videos: Sequence[LabelledVideo], limit: int | None, *, overfit: bool) -> tuple[LabelledVideo, ...]:
    """Return at most `limit` videos of each split, evenly out of all; to overfit, the training ones validate."""
    parts = {split: [v for v in videos if v.split == split] for split in ("train", "val", "test")}
    if limit:
        parts = {
            s: [part[i * len(part) // limit] for i in range(limit)] if len(part) > limit else part
            for s, part in parts.items()
        }
    if overfit:
        parts["val"] = [replace(video, split="val") for video in parts["train"]]
    if not limit and not overfit:
        return tuple(videos)
    return tuple(video for part in parts.values() for video in part)


def labels_of(settings: DataSettings) -> list[Label]:
    """Return the rows of a set's annotation files, in their order; those of a file for one split have that split.

    Raises:
        AnnotationError: there is no such file, or something in it is wrong.
    """
    files = settings.annotations if settings.annotations is not None else _usual_files(settings)
    if isinstance(files, str):
        return _read(settings, files)
    labels = list[Label]()
    for split, file in files.items():
        try:
            labels += [replace(label, split=split) for label in _read(settings, file)]
        except NoScoresError:
            if settings.annotations is not None or split != "test":
                raise
            say(f"{Path(file).name} of {settings.name} has no scores: its videos are left out")
    return labels


def annotation_files(settings: DataSettings) -> list[Path]:
    """Return the annotation files of a set.

    Raises:
        AnnotationError: none is named, and none of the usual ones is there.
    """
    files = settings.annotations if settings.annotations is not None else _usual_files(settings)
    return [Path(file).expanduser() for file in ([files] if isinstance(files, str) else files.values())]


def _read(settings: DataSettings, file: str) -> list[Label]:
    return read_labels(
        Path(file).expanduser(),
        settings.columns.model_dump(),
        settings.content_pattern,
        header=settings.header,
        groups=settings.groups,
        mos_range=settings.mos_range,
    )


def _usual_files(settings: DataSettings) -> str | dict[SplitName, str]:
    """Return the first of the set's usual annotation files, or of a file for each split, that lie under the root.

    Raises:
        AnnotationError: there is none.
    """
    if not settings.usual_files:
        raise AnnotationError("data.annotations: a value is missing; give data.annotations=TABLE")
    root = Path(settings.root).expanduser()
    for usual in settings.usual_files:
        wanted = usual if isinstance(usual, dict) else {"": usual}
        found = {split: _under(root, name) for split, name in wanted.items()}
        if all(found.values()):
            files: dict[Any, str] = {split: str(path) for split, path in found.items()}
            return files if isinstance(usual, dict) else files[""]
    told = " or ".join(" and ".join(u.values()) if isinstance(u, dict) else u for u in settings.usual_files)
    raise AnnotationError(f"data.annotations: there is no {told} under {root}; give data.annotations=TABLE")


def _under(root: Path, name: str) -> Path | None:
    """Return the file of a name in a folder or in one of its folders."""
    return next((path for path in (root / name, *sorted(root.glob(f"*/{name}"))) if path.is_file()), None)


def _refuse_twice(labels: Sequence[Label]) -> None:
    twice = sorted(video for video, times in Counter(label.video for label in labels).items() if times > 1)
    if twice:
        raise AnnotationError(f"{len(twice)} videos are listed more than once: {', '.join(twice)}")
