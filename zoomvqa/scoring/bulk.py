"""Scores of many videos: prepared ahead by other processes, scored as their pieces come."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from zoomvqa.errors import VideoError
from zoomvqa.scoring.branches import Tally
from zoomvqa.scoring.feeders import Failure, Feeders, Task
from zoomvqa.scoring.pieces import Ending, Piece
from zoomvqa.scoring.scorer import Scorer, VideoScore


def score_many(
    scorer: Scorer, videos: Iterable[tuple[str, Path]], *, workers: int, patience: float
) -> Iterator[tuple[str, VideoScore]]:
    """Yield the score of each video, or why there is none, as they are ready.

    A video's score is, to the last bit, that of scoring it alone.

    Args:
        scorer: of the checkpoint.
        videos: names and files; names differ.
        workers: processes that decode; 0 decodes in this one, where a decoder that crashes ends everything.
        patience: seconds without a sign of a process after which its video is given up.
    """
    if workers == 0:
        for name, path in videos:
            yield name, scorer.try_score(path)
        return
    task = Task(scorer.tally().looks, scorer.reader)
    tallies: dict[str, Tally] = {}
    begun: dict[str, float] = {}
    failed: dict[str, str] = {}
    for name, message in Feeders[str](task, workers, patience).look(_noted(videos, begun)):
        if isinstance(message, Piece):
            if name not in failed:
                failed |= _add(tallies.setdefault(name, scorer.tally()), name, message)
            continue
        tally, reason, begin = tallies.pop(name, None), failed.pop(name, ""), begun.pop(name)
        if isinstance(message, Ending) and tally is not None and not reason:
            yield name, _finished(scorer, tally, message, begin)
        else:
            told = message.reason if isinstance(message, Failure) else reason
            yield name, VideoScore(None, told, seconds=time.perf_counter() - begin)


def _add(tally: Tally, name: str, piece: Piece) -> dict[str, str]:
    """Score a piece; where the network fails, return why, by the video's name."""
    try:
        tally.add(piece)
    except Exception as error:  # noqa: BLE001  as in scoring it alone, it costs this video's row only
        return {name: f"{type(error).__name__}: {error}"}
    return {}


def default_workers(device: torch.device, videos: int) -> int:
    """Return how many processes should decode: none for one video, beside a GPU all but one, else few."""
    cores = os.cpu_count() or 1
    if videos <= 1:
        return 0
    return max(1, cores - 1) if device.type != "cpu" else max(1, cores // 4)


def _noted(videos: Iterable[tuple[str, Path]], begun: dict[str, float]) -> Iterator[tuple[str, Path]]:
    """Yield the videos, noting when each is begun."""
    for name, path in videos:
        begun[name] = time.perf_counter()
        yield name, path


def _finished(scorer: Scorer, tally: Tally, ending: Ending, begin: float) -> VideoScore:
    seconds = time.perf_counter() - begin
    try:
        found = scorer.finished(tally.parts(ending))
    except VideoError as error:
        return VideoScore(None, str(error), seconds=seconds)
    return replace(found, seconds=seconds, reader=ending.reader)
