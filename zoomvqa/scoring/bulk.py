"""Scores of many videos: prepared ahead by other processes, scored as their pieces come."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import torch

from zoomvqa.errors import VideoError
from zoomvqa.scoring.batches import Batches
from zoomvqa.scoring.branches import Tally
from zoomvqa.scoring.feeders import Ending, Failure, Feeders, Message, Piece, Restart, Task, look_at
from zoomvqa.scoring.scorer import Scorer, VideoScore

# Pieces in a batch on a device that wants large ones.
_BATCH = 4


@dataclass
class Waiting:
    """How long the networks had nothing to do.

    Attributes:
        seconds: they waited for videos.
        total: that scoring took.
    """

    seconds: float = 0.0
    total: float = 0.0

    @property
    def share(self) -> float:
        """The part of the time that they waited, 0..1."""
        return self.seconds / self.total if self.total else 0.0


@dataclass
class _Video:
    """A video that is being scored."""

    begin: float
    tally: Tally = field(default_factory=Tally)
    reason: str = ""
    waiting: int = 0
    last: Ending | Failure | None = None


def score_many(
    scorer: Scorer,
    videos: Iterable[tuple[str, str]],
    *,
    workers: int,
    patience: float,
    batch: int = 1,
    remote: bool = False,
    waiting: Waiting | None = None,
) -> Iterator[tuple[str, VideoScore]]:
    """Yield the score of each video, or why there is none, as they are ready.

    With `batch=1` a video's score is, to the last bit, that of scoring it alone.

    Args:
        scorer: of the checkpoint.
        videos: names and their paths or addresses; names differ. They are taken as processes get free.
        workers: processes that decode; 0 decodes in this one, where a decoder that crashes ends everything.
        patience: seconds without a sign of a process after which its video is given up.
        batch: clips, or pieces of eight frames, of several videos that the network sees at once.
        remote: whether addresses are fetched.
        waiting: is told how long the networks waited.
    """
    task = Task(scorer.networks.looks, scorer.reading, remote)
    feed = Feeders[str](task, workers, patience).look if workers else _Here(task).look
    under_way: dict[str, _Video] = {}
    batches = Batches(scorer.networks, batch)
    for name, message in _timed(feed(_noted(videos, under_way)), waiting or Waiting()):
        video = under_way[name]
        if isinstance(message, Restart):
            batches.drop(name)
            video.tally, video.waiting, video.reason = Tally(), 0, ""
        elif isinstance(message, Piece):
            if not video.reason:
                video.waiting += 1
                batches.add(name, message)
        else:
            video.last = message
            if isinstance(message, Failure):
                batches.drop(name)
                video.waiting = 0
        _take(batches, under_way)
        yield from _finished(scorer, under_way)
    batches.flush()
    _take(batches, under_way)
    yield from _finished(scorer, under_way)


class _Here:
    """Looks at videos in this process."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def look(self, videos: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Message]]:
        """Yield the messages of all videos, as `Feeders` does."""
        for name, place in videos:
            for message in look_at(place, self._task):
                yield name, message


def _noted(videos: Iterable[tuple[str, str]], under_way: dict[str, _Video]) -> Iterator[tuple[str, str]]:
    """Yield the videos, noting when each is begun."""
    for name, place in videos:
        under_way[name] = _Video(time.perf_counter())
        yield name, place


def _timed(messages: Iterator[tuple[str, Message]], waiting: Waiting) -> Iterator[tuple[str, Message]]:
    """Yield messages, noting how long each was waited for."""
    mark = time.perf_counter()
    for message in messages:
        now = time.perf_counter()
        waiting.seconds += now - mark
        yield message
        waiting.total += time.perf_counter() - mark
        mark = time.perf_counter()


def _take(batches: Batches, under_way: dict[str, _Video]) -> None:
    """Bring what the networks said to the videos."""
    for name, branch, scored in batches.done():
        video = under_way[name]
        video.waiting -= 1
        if isinstance(scored, Exception):  # as in scoring it alone, it costs this video's row only
            video.reason = video.reason or f"{type(scored).__name__}: {scored}"
        else:
            video.tally.add(branch, scored)


def _finished(scorer: Scorer, under_way: dict[str, _Video]) -> Iterator[tuple[str, VideoScore]]:
    """Yield the videos of which nothing more is to come, and forget them."""
    for name in [n for n, v in under_way.items() if v.last is not None and not v.waiting]:
        yield name, _score(scorer, under_way.pop(name))


def _score(scorer: Scorer, video: _Video) -> VideoScore:
    seconds = time.perf_counter() - video.begin
    if isinstance(video.last, Ending) and not video.reason:
        try:
            return replace(scorer.finished(video.tally.parts(video.last), video.last), seconds=seconds)
        except VideoError as error:
            return VideoScore(None, str(error), seconds=seconds)
    told = video.last.reason if isinstance(video.last, Failure) else video.reason
    return VideoScore(None, told, seconds=seconds)


def default_workers(device: torch.device, videos: int) -> int:
    """Return how many processes should decode: none for one video, beside a GPU all but one, else few."""
    cores = os.cpu_count() or 1
    if videos <= 1:
        return 0
    return max(1, cores - 1) if device.type != "cpu" else max(1, cores // 4)


def default_batch(device: torch.device) -> int:
    """Return how many pieces a batch should have: on a CPU one, which keeps scores the same to the last bit."""
    return 1 if device.type == "cpu" else _BATCH
