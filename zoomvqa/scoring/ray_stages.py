"""The stages of scoring on Ray Data: videos given out, looked at, scored. They run in Ray's workers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pyarrow as pa
import ray
import torch
from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

from zoomvqa.allocation import keep_freed_memory
from zoomvqa.errors import VideoError
from zoomvqa.scoring.feeders import Failure, Feeders, Task
from zoomvqa.scoring.feeders import Message as Seen
from zoomvqa.scoring.pieces import Ending, Piece
from zoomvqa.scoring.ray_messages import Message, PieceScores, packed, packets, unpacked
from zoomvqa.scoring.scorer import Scorer

# A video that takes its worker down so often is given up. Ray itself would try for ever.
_ATTEMPTS = 3


class VideoSource(Datasource):
    """The videos of a desk, a row each, for as long as there are any."""

    def __init__(self, desk: Any) -> None:
        super().__init__()
        self._desk = desk

    def estimate_inmemory_data_size(self) -> int | None:
        """Return None: how many there are is not known."""
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:  # noqa: ARG002  Ray's
        """Return the one task that reads, ahead of the decoders by a few rows only: Ray Data pauses it."""
        desk = self._desk

        def read() -> Iterator[pa.Table]:
            for number in count():
                given = ray.get(desk.video.remote(number))
                if given is None:
                    return
                yield packed(given)

        about = BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None, input_files=None)
        return [ReadTask(read, about)]


class Decoding:
    """Looks at videos, in a process of its own beside the actor's.

    Args:
        desk: the actor of a `Desk`.
        task: how videos are looked at.
        patience: seconds without a sign of the process after which its video is given up.
    """

    def __init__(self, desk: Any, task: Task, patience: float) -> None:
        self._desk, self._eyes = desk, OneEye(task, patience)

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        """Yield what is seen of the videos in a table."""
        for number, location in unpacked(table):
            yield from packets(self._messages(number, location))

    def _messages(self, number: int, location: str) -> Iterator[Message]:
        begin = time.perf_counter()
        if not location:  # read once more after a worker's death; its row is written
            yield Message(number, 0, Failure("done"))
            return
        if ray.get(self._desk.attempt.remote("look", number, 0)) > _ATTEMPTS:
            yield Message(number, 0, Failure(f"the worker that decodes it died {_ATTEMPTS} times"))
            return
        for place, seen in enumerate(self._seen(location)):
            yield Message(number, place, seen, 0.0 if isinstance(seen, Piece) else time.perf_counter() - begin)

    def _seen(self, location: str) -> Iterator[Seen]:
        try:
            yield from self._eyes.look(location)
        except Exception as error:  # noqa: BLE001  whatever one video does, it costs its own row only
            yield Failure(f"{type(error).__name__}: {error}")


class OneEye:
    """Looks at one video after another in one process, which lives on from video to video until it dies.

    Args:
        task: how videos are looked at.
        patience: seconds without a sign after which it is given up.
    """

    def __init__(self, task: Task, patience: float) -> None:
        self._feeders = Feeders[int](task, 1, patience)
        self._waiting: list[str] = []
        self._seen: Iterator[tuple[int, Seen]] | None = None

    def look(self, place: str) -> Iterator[Seen]:
        """Yield what is seen of a video; an ending or a failure is the last."""
        self._waiting.append(place)
        whole = False
        try:
            while not whole:
                self._seen = self._seen or self._feeders.look(self._given())
                found = next(self._seen, None)
                if found is None:  # nothing was left to give: the next video is for another round
                    self._seen = None
                    if not self._waiting:
                        raise VideoError("the decoder ended without a word")
                    continue
                whole = isinstance(found[1], Ending | Failure)
                yield found[1]
        finally:
            if not whole:  # left midway: what else it has to say is of no use
                self.close()

    def close(self) -> None:
        """End the process; the next video has another."""
        self._seen, self._waiting = None, []

    def _given(self) -> Iterator[tuple[int, str]]:
        while self._waiting:
            yield 0, self._waiting.pop()


class Scoring:
    """Scores pieces with the networks. What it does with one depends on nothing that came before.

    Args:
        desk: the actor of a `Desk`.
        recipe: where Ray keeps the `ScorerRecipe`, weights and all; each machine fetches it once.
        threads: of torch, as many as the machine with the list has.
    """

    def __init__(self, desk: Any, recipe: list[Any], threads: int) -> None:
        torch.set_num_threads(threads)
        self._desk = desk
        self._scorer: Scorer = ray.get(recipe[0]).scorer()
        if self._scorer.device.type == "cpu":
            keep_freed_memory()  # this process is ours alone

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        """Yield the messages of a table with scores in the places of pieces."""
        for messages in unpacked(table):
            first = messages[0]
            given_up = ray.get(self._desk.attempt.remote("score", first.number, first.place)) > _ATTEMPTS
            yield packed([self._scored(message, given_up) for message in messages])

    def _scored(self, message: Message, given_up: bool) -> Message:
        piece = message.content
        if not isinstance(piece, Piece):
            return message
        content: PieceScores | Failure
        begin = time.perf_counter()
        if given_up:
            content = Failure(f"the worker that scores it died {_ATTEMPTS} times")
        else:
            try:
                content = scored(self._scorer, piece)
            except Exception as error:  # noqa: BLE001  as in scoring it alone, it costs this video's row only
                content = Failure(f"{type(error).__name__}: {error}")
        return Message(message.number, message.place, content, time.perf_counter() - begin)


def scored(scorer: Scorer, piece: Piece) -> PieceScores:
    """Return the scores of a piece's parts, as the network puts them out."""
    return PieceScores(piece.branch, [score for score, _ in scorer.networks.score([piece])[0]])
