"""Scores of training videos by networks that have not seen their contents: what a calibration can be fitted on."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.checkpoints.fit import some
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import SettingsError

# In the folder of a run, see `zoomvqa.training.folds`.
FILE = "fold_scores.csv"


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
