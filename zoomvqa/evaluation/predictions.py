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
from zoomvqa.errors import SettingsError
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
    scorer: Scorer, videos: Sequence[LabelledVideo], path: Path, made_from: Any
) -> list[Prediction]:
    """Score labelled videos and write `video, prediction, mos, error` rows.

    While scoring goes on, the scores are in `<path>.part`, a line each; scoring that was stopped reads them.

    Args:
        scorer: of the checkpoint.
        videos: the videos.
        path: the table, written whole at the end.
        made_from: plain data that tells this checkpoint and its options from others.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _known(part, made_from)
    with part.open("a", encoding="utf-8") as handle, progress() as bar:
        if not known:
            handle.truncate(0)
            handle.write(json.dumps({"made_from": made_from}) + "\n")
        for video in bar.track(videos, description=f"Scoring {path.parent.name}"):
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
    part.unlink()
    return made


def _known(part: Path, made_from: Any) -> dict[str, dict[str, Any]]:
    """Return what a stopped scoring has, or nothing where it was made from something else."""
    try:
        lines = part.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    entries = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:  # the last line of one that was killed
            break
    if not entries or entries[0] != {"made_from": json.loads(json.dumps(made_from))}:
        return {}
    return {entry["video"]: entry for entry in entries[1:]}


def read_predictions(path: Path, key: str = "predictions") -> dict[str, float]:
    """Return the predictions in a table: ours (`video, prediction` or `video, score`), or `video,score` lines.

    Args:
        path: the file; rows without a score are left out.
        key: of the config that names it, for messages.

    Raises:
        SettingsError: there is no such file, it has no such columns, or a score is not a number.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), skipinitialspace=True))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{key}: {path} cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from None
    rows = [row for row in rows if row]
    if not rows:
        raise SettingsError(f"{key}: {path} is empty")
    names, scores, begin = _columns(rows[0], path, key)
    found: dict[str, float] = {}
    for number, row in enumerate(rows[begin:], start=begin + 1):
        if len(row) <= max(names, scores):
            raise SettingsError(f"{key}: {path}, row {number}: {len(row)} cells, expected {len(rows[0])}")
        text = row[scores].strip()
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            raise SettingsError(f"{key}: {path}, row {number}: {text!r} is not a number") from None
        if row[names].strip() in found:
            raise SettingsError(f"{key}: {path}, row {number}: {row[names].strip()} is listed twice")
        found[row[names].strip()] = value
    if not found:
        raise SettingsError(f"{key}: {path} has no scored video")
    return found


def _columns(header: list[str], path: Path, key: str) -> tuple[int, int, int]:
    """Return the columns of names and scores, and the first row of data."""
    lower = [cell.strip().lower() for cell in header]
    try:
        float(header[-1])
    except ValueError:
        names = next((lower.index(n) for n in ("video", "name", "filename", "path") if n in lower), None)
        scores = next((lower.index(n) for n in ("prediction", "score", "pred", "mos") if n in lower), None)
        if names is None or scores is None:
            told = ", ".join(header)
            raise SettingsError(
                f"{key}: {path} has columns {told}, expected video and prediction (or score)"
            ) from None
        return names, scores, 1
    return 0, len(header) - 1, 0
