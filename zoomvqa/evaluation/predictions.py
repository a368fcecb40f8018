"""Scores of labelled videos, kept as they come, so that a stopped evaluation goes on where it was."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoomvqa.console import console, progress
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.files import file_key, whole_file
from zoomvqa.journal import open_journal
from zoomvqa.outputs import begins_with, refuse_foreign
from zoomvqa.scoring.bulk import default_workers, score_many
from zoomvqa.scoring.scorer import Scorer

_HEADER = ("video", "prediction", "mos", "error")


@dataclass(frozen=True)
class Prediction:
    """A video's prediction beside its label.

    Attributes:
        video: the labelled video.
        score: predicted; None where it could not be scored.
        error: why not.
    """

    video: LabelledVideo
    score: float | None
    error: str = ""


def refuse_other_table(path: Path) -> None:
    """Refuse to replace a file that `score_labelled` did not write.

    Raises:
        SettingsError: it is one.
    """
    refuse_foreign(path, lambda there: begins_with(there, ",".join(_HEADER)), "give another output")


def score_labelled(
    scorer: Scorer,
    videos: Sequence[LabelledVideo],
    path: Path,
    made_from: Any,
    told: str,
    *,
    workers: int | None = 0,
    patience: float = 120.0,
) -> list[Prediction]:
    """Score labelled videos and write `video, prediction, mos, error` rows.

    Scores are kept as they come, beside the table under its name and `.part`: what is there already is not scored
    again.

    Args:
        scorer: of the checkpoint.
        videos: the videos.
        path: the table, written whole at the end.
        made_from: plain data that tells this checkpoint and its options from others.
        told: what is scored, for the progress bar.
        workers: processes that decode; None takes as many as suit the machine. See `zoomvqa.scoring.bulk`.
        patience: seconds without a sign of a process after which its video is given up.
    """
    refuse_other_table(path)
    with open_journal(path.with_name(f"{path.name}.part"), made_from) as kept, progress() as bar:
        # What could not be scored is tried again.
        keys = {video.name: file_key(video.name, video.path) for video in videos}
        known = {name: kept[key] for name, key in keys.items() if key in kept}
        known = {name: entry for name, entry in known.items() if entry["score"] is not None}
        todo = [(video.name, str(video.path)) for video in videos if video.name not in known]
        task = bar.add_task(f"Scoring {told}", total=len(videos), completed=len(videos) - len(todo))
        count = default_workers(scorer.device, len(todo)) if workers is None else workers
        for name, found in score_many(scorer, todo, workers=count, patience=patience):
            known[name] = {"score": found.score, "error": " ".join(found.error.split())}
            kept.write(keys[name], known[name])
            bar.advance(task)
    made = [Prediction(v, known[v.name]["score"], known[v.name]["error"]) for v in videos]
    for failed in (p for p in made if p.score is None):
        console.print(f"not scored: {failed.video.name}: {failed.error}", markup=False)
    with whole_file(path, newline="") as table:
        writer = csv.writer(table)
        writer.writerow(_HEADER)
        for p in made:
            writer.writerow(
                [p.video.name, "" if p.score is None else f"{p.score:.6f}", repr(p.video.mos), p.error]
            )
    return made
