"""The branches' scores of labelled videos: made once, and kept in the run's folder for its other processes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

import zoomvqa
from zoomvqa.checkpoints import Checkpoint
from zoomvqa.console import progress
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.opening import summary_of
from zoomvqa.data.whole_videos import open_video
from zoomvqa.errors import AnnotationError, VideoError
from zoomvqa.files import whole_file
from zoomvqa.models.base import as_branch_net
from zoomvqa.models.inference import prepare_for_scoring
from zoomvqa.scoring.branches import (
    Networks,
    accelerator_device,
    mean_score,
    score_parts,
)
from zoomvqa.scoring.parts import PartScorer
from zoomvqa.scoring.pieces import pieces
from zoomvqa.video.reader import ReaderName

Scores = dict[str, NDArray[np.float64]]


def branch_scores(
    folder: Path,
    checkpoints: Mapping[str, Checkpoint],
    made_from: Any,
    videos: Sequence[LabelledVideo],
    accelerator: str,
    reader: ReaderName,
) -> Scores:
    """Return each branch's own scores of every video, (n,) float64, as its network puts them out.

    They are kept in `<folder>/branch_scores.json`. Of several processes the first makes them; the others, and a
    run that is started again, read them, unless checkpoints or videos have changed.

    Args:
        folder: of the run.
        checkpoints: of the branches, by the names that they have from now on.
        made_from: plain data that tells these checkpoints from others.
        videos: the videos.
        accelerator: auto, cpu, gpu or mps.
        reader: the decoder.

    Raises:
        AnnotationError: some videos cannot be scored; all of them are listed.
    """
    kept = folder / "branch_scores.json"
    files = [(v.name, v.path.stat().st_size, v.path.stat().st_mtime_ns) for v in videos]
    key = json.loads(json.dumps([zoomvqa.__version__, made_from, reader, files]))
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(kept.with_name(".branch_scores.lock")):
        found = _read(kept, key)
        if found is None:
            found = _score(checkpoints, videos, accelerator, reader)
            with whole_file(kept) as handle:
                json.dump({"key": key, "scores": found}, handle)
    return {name: np.array(found[name], dtype=np.float64) for name in checkpoints}


def _read(kept: Path, key: Any) -> dict[str, list[float]] | None:
    try:
        found = json.loads(kept.read_text())
        return found["scores"] if found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _score(
    checkpoints: Mapping[str, Checkpoint],
    videos: Sequence[LabelledVideo],
    accelerator: str,
    reader: ReaderName,
) -> dict[str, list[float]]:
    """Score every video with all branches, which look at one decoding."""
    device = accelerator_device(accelerator)
    scorers = {}
    for name, checkpoint in checkpoints.items():
        net = prepare_for_scoring(checkpoint.build_net().to(device))  # what is calibrated has scoring's very bits
        (about,) = checkpoint.description.branches.values()
        scorers[name] = PartScorer(as_branch_net(net), device, about.look)
    networks = Networks(scorers, device)
    scores: dict[str, list[float]] = {name: [] for name in scorers}
    failures: list[tuple[str, str]] = []
    with progress() as bar:
        for video in bar.track(videos, description="Scoring with the branches"):
            try:
                parts, _ = score_parts(
                    pieces(open_video(video.path, networks.looks, reader), networks.looks), networks
                )
            except VideoError as error:
                failures.append((video.name, str(error)))
                continue
            means = {name: mean_score(some) for name, some in parts.items()}
            if not all(map(math.isfinite, means.values())):
                failures.append((video.name, "the network's score is not a number"))
            for name, mean in means.items():
                scores[name].append(mean)
    if failures:
        raise AnnotationError(summary_of(failures, len(videos)))
    return scores
