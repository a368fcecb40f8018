"""Weights of prediction files, fitted on videos whose MOS is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoomvqa.calibration.logistic import FEWEST
from zoomvqa.calibration.simplex import fit_weights, plcc, weighted
from zoomvqa.data.labelled_set import LabelledVideo, load_without_files
from zoomvqa.data.placeholders import placeholder_reason
from zoomvqa.errors import SettingsError
from zoomvqa.evaluation.agree import match
from zoomvqa.scoring.fuse_files import Columns
from zoomvqa.settings.data import DataSettings

Split = Literal["all", "train", "val", "test"]


@dataclass(frozen=True)
class FittedWeights:
    """Weights and what they were fitted on.

    Attributes:
        weights: (files,) float64; their sum is 1.
        videos: how many.
        without: labelled videos of the split that no file has.
        plcc: of the weighted average with the MOS of these videos.
    """

    weights: NDArray[np.float64]
    videos: int
    without: int
    plcc: float


def labelled_part(labels: Path, split: Split) -> tuple[LabelledVideo, ...]:
    """Read an annotation file and return the videos of one split, or all.

    Raises:
        AnnotationError: the file is wrong.
        SettingsError: it has no video of that split, or placeholders in the place of its scores.
    """
    data = DataSettings(name=labels.stem, root=".", annotations=str(labels), val_share=0.0, test_share=0.0)
    videos = load_without_files(data).videos
    part = tuple(video for video in videos if split in {"all", video.split})
    if not part:
        present = ", ".join(sorted({video.split for video in videos}))
        raise SettingsError(
            f"split: got {split}, but {labels} has no such videos, only: {present}; expected one of these, or all"
        )
    if reason := placeholder_reason(part, None):
        raise SettingsError(f"labels: the scores in {labels} are placeholders, no opinions: {reason}")
    return part


def fit_to_labels(columns: Columns, labelled: tuple[LabelledVideo, ...], told: str) -> FittedWeights:
    """Return the weights whose average has the highest PLCC with the MOS; see `zoomvqa.calibration.simplex`.

    Names of videos are matched as `scripts/evaluate.py` does it.

    Args:
        columns: the predictions.
        labelled: videos with their MOS.
        told: what the videos are, for messages.

    Raises:
        SettingsError: fewer than five videos have both, all their MOS are equal, or no weights give scores that
            rise with it.
    """
    places = {video: float(place) for place, video in enumerate(columns.videos)}
    judged, without, _ = match(places, labelled, key="labels")
    if len(judged.names) < FEWEST:
        raise SettingsError(
            f"labels: {len(judged.names)} of {told} have predictions, expected {FEWEST} or more to fit weights on"
        )
    scores = columns.scores[judged.score.astype(np.int64)]
    if np.ptp(judged.mos) == 0:
        raise SettingsError(f"labels: the MOS of all {len(judged.names)} videos is {judged.mos[0]:g}")
    weights = fit_weights(scores, judged.mos)
    found = plcc(weighted(scores, weights), judged.mos)
    if not found > 0:
        raise SettingsError(
            f"weights: on {told} no weights give scores that rise with the MOS (the best PLCC is {found:.3f}); "
            "give weights of your own, or turn scores that fall around"
        )
    return FittedWeights(weights, len(judged.names), len(without), found)
