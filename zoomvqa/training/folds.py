"""Trains a network without each share of the training contents, and scores that share with it."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import lightning

from zoomvqa.checkpoints import describe
from zoomvqa.console import say
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.errors import AnnotationError
from zoomvqa.files import whole_file
from zoomvqa.processes import is_first_process
from zoomvqa.scoring.branches import accelerator_device
from zoomvqa.settings.branch import BranchSettings
from zoomvqa.settings.commands import EarlyStopping, Keeping, TrainSettings
from zoomvqa.training.build import build_branch
from zoomvqa.training.fitting import fit
from zoomvqa.training.fold_scores import FILE
from zoomvqa.training.head_start import start_head
from zoomvqa.training.one_by_one import look_at

_HEADER = ("video", "fold", "mos", "score", "standard_score")


def score_folds(settings: TrainSettings, branch: BranchSettings, labelled: LabelledSet) -> None:
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


def _score_fold(settings: TrainSettings, branch: BranchSettings, labelled: LabelledSet) -> list[dict[str, object]]:
    """Train on a fold's training videos and return the scores of the others."""
    # A fold comes out the same whether those before it are trained now or were before.
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    about = describe(branch, labelled.mos_range, labelled.name, settings.model_dump(mode="json"))
    built = build_branch(settings, branch, labelled, about)
    start_head(built, settings.weights.head, settings.trainer.accelerator)
    fit(settings, built.module, built.data, branch.network.label, brief=True)
    assert built.module.table is not None  # noqa: S101  there was a validation
    index, scores, _ = (column.tolist() for column in built.module.table)
    net, device = built.module.candidates()[built.module.better], accelerator_device(settings.trainer.accelerator)
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
