"""What Ray's actors tell each other of videos, and who gives these out."""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from zoomvqa.scoring.feeders import Failure
from zoomvqa.scoring.pieces import Ending, Piece, Restart

_COLUMN = "packet"
# Bytes of pieces that travel together. A short video is one packet: each costs Ray Data some milliseconds.
_PACKET = 2**24


@dataclass(frozen=True)
class PieceScores:
    """In the place of a piece: the scores of its frames or clips, as the network puts them out."""

    branch: str
    scores: list[float]


@dataclass(frozen=True)
class Message:
    """A part of what there is to tell of a video.

    Attributes:
        number: of the video.
        place: among the video's messages, from 0; an ending or a failure is the last.
        content: what is told.
        seconds: that went into it.
    """

    number: int
    place: int
    content: Piece | PieceScores | Restart | Ending | Failure
    seconds: float = 0.0


# A video as it is given out: its number and where it is.
Given = tuple[int, str]


def packed(content: list[Message] | Given) -> pa.Table:
    """Return a table of one row. Ray Data moves tables; pieces of several shapes are no columns of one."""
    # Pickled by our own processes only. Protocol 5 takes an array as it lies, bit for bit.
    return pa.table({_COLUMN: pa.array([pickle.dumps(content, protocol=5)], pa.large_binary())})


def unpacked(table: pa.Table) -> Iterator[Any]:
    """Yield what was packed into the rows of a table."""
    for row in table.column(_COLUMN):
        yield pickle.loads(row.as_buffer())  # noqa: S301  see above


def packets(messages: Iterable[Message]) -> Iterator[pa.Table]:
    """Yield messages packed together, with about 16 MiB of pieces each at most."""
    held: list[Message] = []
    size = 0
    for message in messages:
        held.append(message)
        size += message.content.data.nbytes if isinstance(message.content, Piece) else 0
        if size >= _PACKET:
            yield packed(held)
            held, size = [], 0
    if held:
        yield packed(held)


class Desk:
    """Gives out the videos in work, and counts attempts at them; an actor on the machine that has the list.

    A video stays here until its row is written, so that whoever reads them can start over.
    """

    def __init__(self) -> None:
        self._open: dict[int, str] = {}
        self._attempts: Counter[tuple[str, int, int]] = Counter()
        self._read, self._total = 0, float("inf")
        self._news = asyncio.Event()

    async def put(self, number: int, location: str) -> None:
        """Take a video in; calls may overtake each other."""
        self._open[number] = location
        self._news.set()

    async def end(self, total: int) -> None:
        """Say how many videos there are, once that is known."""
        self._total = total
        self._news.set()

    async def video(self, number: int) -> Given | None:
        """Return a video once it is there, or None after the last; one that is done has no location."""
        while number not in self._open and self._read <= number < self._total:
            self._news.clear()
            await self._news.wait()
        if number >= self._total:
            return None
        self._read = max(self._read, number + 1)
        return number, self._open.get(number, "")

    async def done(self, number: int) -> None:
        """Forget a video."""
        self._open.pop(number, None)
        for key in [key for key in self._attempts if key[1] == number]:
            del self._attempts[key]

    async def attempt(self, work: str, number: int, place: int) -> int:
        """Return how often this work on a video was begun, this time included."""
        if number not in self._open:
            return 1
        self._attempts[work, number, place] += 1
        return self._attempts[work, number, place]
