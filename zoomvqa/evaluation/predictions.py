"""Scores of labelled videos, kept as they come, so that a stopped evaluation goes on where it was."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoomvqa.console import console, progress
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.files import whole_file
from zoomvqa.scoring.scorer import Scorer


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


def score_labelled(
    scorer: Scorer, videos: Sequence[LabelledVideo], path: Path, made_from: Any, told: str
) -> list[Prediction]:
    """Score labelled videos and write `video, prediction, mos, error` rows.

    Scores are kept as they come in `<path>.jsonl`, a line each: what is there already is not scored again.

    Args:
        scorer: of the checkpoint.
        videos: the videos.
        path: the table, written whole at the end.
        made_from: plain data that tells this checkpoint and its options from others.
        told: what is scored, for the progress bar.
    """
    kept = path.with_suffix(".jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _known(kept, made_from)
    with kept.open("a", encoding="utf-8") as handle, progress() as bar:
        if known:
            handle.write("\n")  # ends a line that was cut off
        else:
            handle.truncate(0)
            handle.write(json.dumps({"made_from": made_from}) + "\n")
        for video in bar.track(videos, description=f"Scoring {told}"):
            if video.name not in known:
                found = scorer.try_score(video.path)
                known[video.name] = {"score": found.score, "error": " ".join(found.error.split())}
                handle.write(json.dumps({"video": video.name} | known[video.name]) + "\n")
                handle.flush()
    made = [Prediction(v, known[v.name]["score"], known[v.name]["error"]) for v in videos]
    for failed in (p for p in made if p.score is None):
        console.print(f"not scored: {failed.video.name}: {failed.error}", markup=False)
    with whole_file(path, newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["video", "prediction", "mos", "error"])
        for p in made:
            writer.writerow(
                [p.video.name, "" if p.score is None else f"{p.score:.6f}", repr(p.video.mos), p.error]
            )
    return made


def _known(kept: Path, made_from: Any) -> dict[str, dict[str, Any]]:
    """Return the scores that are there, or nothing where they were made from something else; errors try again."""
    try:
        lines = kept.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    entries = []
    for line in filter(None, lines):
        try:
            entries.append(json.loads(line))
        except ValueError:  # the last line of one that was killed
            continue
    if not entries or entries[0] != {"made_from": json.loads(json.dumps(made_from))}:
        return {}
    return {entry["video"]: entry for entry in entries[1:] if entry["score"] is not None}
