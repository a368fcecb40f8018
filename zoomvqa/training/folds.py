"""Scores of training videos by networks that have not seen their contents: what a calibration can be fitted on."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightning
import numpy as np
from numpy.typing import NDArray

from zoomvqa.checkpoints import describe
from zoomvqa.checkpoints.fit import some
from zoomvqa.console import say
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.errors import AnnotationError, SettingsError
from zoomvqa.files import whole_file
from zoomvqa.processes import is_first_process
from zoomvqa.settings.commands import EarlyStopping, Keeping, TrainSettings
from zoomvqa.settings.iqa import IQABranch
from zoomvqa.settings.vqa import VQABranch
from zoomvqa.training.branches import build_branch
from zoomvqa.training.fitting import fit
from zoomvqa.training.head_start import start_head
from zoomvqa.training.one_by_one import device_of, look_at

FILE = "fold_scores.csv"
_HEADER = ("video", "fold", "mos", "score", "standard_score")


@dataclass(frozen=True)
class FoldScores:
    """What networks that were trained without a video's content say of it.

    Attributes:
        score: by the video's name, as its fold's network puts it out.
        standard_score: the same less the mean, in deviations, of what that network says of its own training
            videos: networks that are trained with a loss without a scale can only be compared so.
    """

    score: Mapping[str, float]
    standard_score: Mapping[str, float]


def score_folds(settings: TrainSettings, branch: IQABranch | VQABranch, labelled: LabelledSet) -> None:
    """Train a network without each share of the training contents, and score that share with it.

    The scores are kept in `fold_scores.csv`. Each network is trained as the run itself, in a folder
    `folds/<number>` of it; the last epoch's weights count, so that nothing is chosen by the videos that are left
    out. Folds that are done are kept.

    Args:
        settings: of the run; its `calibration_folds` tells how many.
        branch: of the run.
        labelled: the set.

    Raises:
        UserError: there are fewer contents than folds, or see `zoomvqa.training.run.train`.
    """
    output, fold_of = Path(settings.output), folds_of(settings, labelled)
    rows: list[dict[str, object]] = []
    for fold in range(settings.calibration_folds):
        folder = output / "folds" / str(fold)
        kept = folder / f"scores_{settings.trainer.max_epochs}_epochs.json"  # a run may be made longer
        if not kept.is_file():
            say(f"Calibration fold {fold + 1} of {settings.calibration_folds}")
            own = settings.model_copy(update=_alone(folder))
            found = _score_fold(own, branch, _without(labelled, fold_of, fold))
            if is_first_process():
                with whole_file(kept) as handle:
                    json.dump(found, handle)
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        if is_first_process():
            rows += [{"fold": fold} | row for row in json.loads(kept.read_text())]
    if is_first_process():
        with whole_file(output / FILE, newline="") as handle:
            writer = csv.DictWriter(handle, _HEADER)
            writer.writeheader()
            writer.writerows(rows)


def folds_of(settings: TrainSettings, labelled: LabelledSet) -> dict[str, int]:
    """Return the fold of each training content; none without folds.

    Raises:
        AnnotationError: there are fewer contents than folds.
    """
    if not settings.calibration_folds:
        return {}
    contents = [video.content for video in labelled.part("train")]
    return deal_folds(contents, settings.calibration_folds, settings.seed)


def read_fold_scores(checkpoint: Path, key: str) -> FoldScores:
    """Return the fold scores of the run that a checkpoint is from.

    Raises:
        SettingsError: the run has none.
    """
    path = checkpoint.parent.parent / FILE
    if not path.is_file():
        raise SettingsError(
            f"branch.split: got folds, but the run of {key}={checkpoint} has no {FILE}; train it with "
            "calibration_folds=3, or give branch.split=val"
        )
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return FoldScores(
        {row["video"]: float(row["score"]) for row in rows},
        {row["video"]: float(row["standard_score"]) for row in rows},
    )


def out_of_fold(
    scores: NDArray[np.float64], videos: Sequence[LabelledVideo], folds: FoldScores, *, has_unit: bool, key: str
) -> NDArray[np.float64]:
    """Return scores of videos as if none of them had been trained on, on the scale of a run's own network.

    Training videos have the score of their fold's network: as it is where it has a unit, otherwise brought to the
    mean and deviation of what the run's network says of its training videos. Others keep their score.

    Args:
        scores: (n,) of the run's own network.
        videos: that they are of, training videos among them.
        folds: of the run.
        has_unit: whether the network's scores are in units of the MOS.
        key: of the setting that names the run, for messages.

    Raises:
        SettingsError: a training video has no fold score.
    """
    trained = np.array([video.split == "train" for video in videos])
    kept = folds.score if has_unit else folds.standard_score
    if lacking := [v.name for v, own in zip(videos, trained, strict=True) if own and v.name not in kept]:
        raise SettingsError(
            f"branch.split: got folds, but {len(lacking)} training videos have no score in {FILE} of {key}: "
            f"{some(lacking)}; the run was trained on other videos"
        )
    mean, spread = (0.0, 1.0) if has_unit else (scores[trained].mean(), scores[trained].std())
    left_out = [mean + spread * kept[video.name] for video in videos if video.split == "train"]
    found = scores.copy()
    found[trained] = left_out
    return found


def deal_folds(contents: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """Return the fold of each content: shuffled by `seed`, each dealt to the fold with the fewest videos so far.

    Raises:
        AnnotationError: there are fewer contents than folds.
    """
    counts = Counter(contents)
    if len(counts) < max(2, folds):
        raise AnnotationError(
            f"calibration_folds: got {folds}, expected at most the number of training contents, {len(counts)}"
        )
    order = sorted(counts)
    random.Random(seed).shuffle(order)  # noqa: S311  a split, not a secret
    order.sort(key=lambda content: -counts[content])  # the large ones first: folds come out even
    sizes, dealt = [0] * folds, {}
    for content in order:
        dealt[content] = sizes.index(min(sizes))
        sizes[dealt[content]] += counts[content]
    return dealt


def _alone(folder: Path) -> dict[str, object]:
    """Return what is different in the settings of a fold's run."""
    quiet = {"logger": {}, "keep": Keeping(), "early_stopping": EarlyStopping(), "calibration_folds": 0}
    return quiet | {"output": str(folder), "overwrite": True, "resume": None}


def _without(labelled: LabelledSet, fold_of: Mapping[str, int], fold: int) -> LabelledSet:
    """Return the training part of a set, one fold of which is validated instead."""
    videos = [video for video in labelled.videos if video.split == "train"]
    sides = ["val" if fold_of[video.content] == fold else "train" for video in videos]
    return replace(
        labelled, videos=tuple(replace(video, split=side) for video, side in zip(videos, sides, strict=True))
    )


def _score_fold(
    settings: TrainSettings, branch: IQABranch | VQABranch, labelled: LabelledSet
) -> list[dict[str, object]]:
    """Train on a fold's training videos and return the scores of the others."""
    # A fold comes out the same whether those before it are trained now or were before.
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    about = describe(branch, labelled.mos_range, labelled.name, settings.model_dump(mode="json"))
    built = build_branch(settings, branch, labelled, about)
    start_head(built, settings.weights.head, settings.trainer.accelerator)
    fit(settings, built.module, built.data, branch.network.backbone, brief=True)
    assert built.module.table is not None  # noqa: S101  there was a validation
    index, scores, _ = (column.tolist() for column in built.module.table)
    net, device = built.module.candidates()[built.module.better], device_of(settings.trainer.accelerator)
    own, _ = look_at(
        built,
        built.data.train_videos,
        lambda parts: built.module.score(net, parts),
        device,
        "Scoring what it has seen",
    )
    mean, spread = float(own.mean()), max(float(own.std()), 1e-12)
    videos = [built.data.val_videos[int(i)] for i in index]
    return [
        {"video": v.name, "mos": v.mos, "score": s, "standard_score": (s - mean) / spread}
        for v, s in zip(videos, scores, strict=True)
    ]
