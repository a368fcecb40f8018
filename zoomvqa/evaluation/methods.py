"""Methods on labelled sets: a checkpoint that scores videos, or a table of scores that somebody made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import TypeAdapter

from zoomvqa.checkpoints import Checkpoint, Description, FusionDescription, load_checkpoint, weights_file
from zoomvqa.console import say
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo, load_without_files
from zoomvqa.data.placeholders import placeholder_reason
from zoomvqa.errors import AnnotationError, SettingsError, UserError
from zoomvqa.evaluation.agree import Judged, match
from zoomvqa.evaluation.predictions import score_labelled
from zoomvqa.files import file_key
from zoomvqa.scoring.branches import Precision
from zoomvqa.scoring.prediction_files import read_predictions
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.data import AnyData, SeveralSets
from zoomvqa.video.reader import ReaderName

_SHOWN = 5
Source = TypeVar("Source")


@dataclass(frozen=True)
class Tested:
    """The videos of a set that methods are judged by.

    Attributes:
        name: of the set.
        videos: of it.
        split: which part they are: train, val, test or all.
        reader: the decoder they need.
        endings: what their files' names have behind the labelled name; see `data.endings`.
        mos_range: lowest and highest MOS of the set; None where it is not known.
    """

    name: str
    videos: tuple[LabelledVideo, ...]
    split: str
    reader: ReaderName = "auto"
    endings: tuple[str, ...] = ()
    mos_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a method came to on a set.

    Attributes:
        method: its name.
        set: the set's name.
        judged: predictions beside MOS.
        missing: labelled videos without a prediction.
        split: which part of the set was judged: train, val, test or all.
        note: what the reader of the figures must know; empty where there is nothing.
        mos_range: lowest and highest MOS of the set; None where it is not known.
        has_unit: whether predictions may be in units of the MOS; an RMSE of others, as they are, means nothing.
    """

    method: str
    set: str
    judged: Judged
    missing: int
    split: str = "all"
    note: str = ""
    mos_range: tuple[float, float] | None = None
    has_unit: bool = True


@dataclass(frozen=True)
class Loaded:
    """A checkpoint and its file.

    Attributes:
        file: of it.
        checkpoint: what is in it.
    """

    file: Path
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Effort:
    """How checkpoints score.

    Attributes:
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of the network.
        workers: processes that decode; None takes as many as suit the machine.
        patience: seconds without a sign of a process after which its video is given up.
    """

    device: str = "auto"
    precision: Precision = "32-true"
    workers: int | None = None
    patience: float = 120.0


def part_to_judge(
    labelled: LabelledSet,
    split: Literal["auto", "all", "train", "val", "test"],
    reader: ReaderName = "auto",
    endings: tuple[str, ...] = (),
) -> Tested:
    """Return the videos of a set that are to be scored; `auto` takes the test part, else validation, else all.

    Raises:
        AnnotationError: there are none, or their labels are placeholders.
    """
    there = {video.split for video in labelled.videos}
    chosen = next((s for s in ("test", "val") if s in there), "all") if split == "auto" else split
    videos = labelled.videos if chosen == "all" else labelled.part(chosen)
    if reason := placeholder_reason(videos, labelled.mos_range):
        raise AnnotationError(f"the labels of {labelled.name} are placeholders, no opinions: {reason}")
    if max(video.mos for video in videos) <= 1 and min(video.mos for video in videos) >= 0:
        say(
            f"{labelled.name}: all opinions lie in 0..1; where the set's scale is wider they are placeholders, "
            "and the figures mean nothing"
        )
    return Tested(labelled.name, videos, chosen, reader, endings, labelled.mos_range)


def load_method(source: str) -> Loaded:
    """Read a checkpoint, by its file or the name of public weights.

    Raises:
        UserError: it cannot be used.
    """
    file = weights_file(source, "ckpt")
    return Loaded(file, load_checkpoint(file))


def run_checkpoint(
    source: Loaded, name: str, sets: Sequence[Tested], output: Path, effort: Effort
) -> list[Outcome]:
    """Score the videos of the sets with a checkpoint; scores are kept under the output.

    Args:
        source: the checkpoint.
        name: what the method is called.
        sets: the sets.
        output: the folder; the scores lie in it as `<name>/<set>.csv`.
        effort: with what.

    Raises:
        UserError: the checkpoint's weights do not fit, or no video of a set can be scored.
    """
    file, checkpoint = source.file, source.checkpoint
    say(f"{name}: {checkpoint.told}")
    found = []
    for tested in sets:
        scorer = Scorer(checkpoint, effort.device, effort.precision, tested.reader)
        place, key = str(tested.videos[0].path.parent), file_key(str(file.absolute()), file)
        made_from = [key, effort.precision, tested.reader, place]
        table = output / folder_name(name) / f"{folder_name(tested.name)}.csv"
        made = score_labelled(
            scorer, tested.videos, table, made_from, f"{tested.name} with {name}",
            workers=effort.workers, patience=effort.patience,
        )  # fmt: skip
        scores = {p.video.name: p.score for p in made if p.score is not None}
        if not scores:
            raise SettingsError(f"data: no video of {tested.name} can be scored; {table} has the reasons")
        judged, missing, _ = match(scores, tested.videos)
        about = checkpoint.description
        note, has_unit = _seen_before(about, tested), about.unit == "mos"
        about_set = (len(missing), tested.split, note, tested.mos_range, has_unit)
        found.append(Outcome(name, tested.name, judged, *about_set))
    return found


def _seen_before(about: Description, tested: Tested) -> str:
    """Say whether a checkpoint knows the videos that it is judged by; empty where it does not."""
    counts = _known_videos(about, tested)
    if counts is not None:
        told = [f"{count} of these videos {what}" for what, count in counts.items() if count]
        return "; ".join(told)
    if about.trained_on is not None and tested.name in about.trained_on.split("+"):
        return "trained on this set; which videos cannot be seen here"
    return ""


def _known_videos(about: Description, tested: Tested) -> dict[str, int] | None:
    """Return how many of the videos a checkpoint was trained on, or chosen by; None where its labels are gone."""
    everyone: list[Description] = list(about.branches.values())
    if isinstance(about, FusionDescription):
        everyone.append(about)
    try:
        known = [video for one in everyone for video in _labels_of(one)]
    except (KeyError, ValueError, UserError, OSError):
        return None
    names = {video.name for video in tested.videos}
    seen = {split: len(names & {v.name for v in known if v.split == split}) for split in ("train", "val")}
    return {"were trained on": seen["train"], "chose its epoch": seen["val"]}


def _labels_of(about: Description) -> list[LabelledVideo]:
    data = TypeAdapter(AnyData).validate_python(about.config["data"])
    sets = data.sets.values() if isinstance(data, SeveralSets) else [data]
    return [video for one in sets for video in load_without_files(one).videos]


def read_method(source: str, name: str, sets: Sequence[Tested]) -> list[Outcome]:
    """Bring a table of scores and the labels of the sets together; what has no partner is told.

    Raises:
        UserError: the table is wrong, or has no video of a set.
    """
    path = Path(source).expanduser()
    table = read_predictions(path, "predictions")
    found, used = [], set()
    for tested in sets:
        judged, missing, strays = match(table.scores, tested.videos, tested.endings)
        if missing:
            say(f"{path.name}: {len(missing)} videos of {tested.name} have no prediction: {_some(missing)}")
        used |= table.scores.keys() - set(strays)
        found.append(Outcome(name, tested.name, judged, len(missing), tested.split, mos_range=tested.mos_range))
    if strays := [video for video in table.scores if video not in used]:
        say(f"{path.name}: {len(strays)} predictions are of no video that is judged: {_some(strays)}")
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def method_names(sources: Sequence[str], given: Sequence[str] | None) -> list[str]:
    """Return what methods are called: as given, or after the folders of their runs or their files.

    Raises:
        SettingsError: not one name for each, or two are called the same.
    """
    if given is not None and len(given) != len(sources):
        raise SettingsError(f"names: got {len(given)}, expected {len(sources)}, one for each method")
    names = list(given) if given is not None else [_name_of(Path(source)) for source in sources]
    names = [" ".join(name.split()) for name in names]
    folders = [folder_name(name) for name in names]
    if twice := [name for name, folder in zip(names, folders, strict=True) if folders.count(folder) > 1]:
        raise SettingsError(f"names: two methods are called {twice[0]!r}; tell them apart with names=[…]")
    return names


def _name_of(path: Path) -> str:
    path = path.absolute()
    return path.parent.parent.name if path.parent.name == "checkpoints" else path.stem


def folder_name(name: str) -> str:
    """Return a name with only such characters that a folder may have, and that is one."""
    return re.sub(r"[^\w.+-]+", "_", name).lstrip(".") or "_"


def run_methods(
    methods: Mapping[str, Source], run: Callable[[Source, str], list[Outcome]]
) -> dict[str, list[Outcome]]:
    """Return the outcomes by set, methods in their order.

    Args:
        methods: sources by name.
        run: from a source and a name to outcomes on all sets.
    """
    found: dict[str, list[Outcome]] = {}
    for name, source in methods.items():
        for outcome in run(source, name):
            found.setdefault(outcome.set, []).append(outcome)
    return found
