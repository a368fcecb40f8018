"""Pieces of several videos go through a network together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from zoomvqa.scoring.branches import Networks
from zoomvqa.scoring.parts import Scored
from zoomvqa.scoring.pieces import Piece

Name = str
# Whose, of which branch, and what the network says of a piece, or how it failed.
Done = tuple[Name, str, "list[Scored] | Exception"]


class Batches:
    """Gathers pieces until there are enough for a batch, and has them scored.

    A batch of more than one always has its full size, so that the network computes in the same way whatever there
    is to score: where pieces are missing at the end, and parts in a piece, some stand in for them twice.

    Args:
        networks: of the checkpoint.
        size: pieces in a batch.
    """

    def __init__(self, networks: Networks, size: int) -> None:
        self._networks, self._size = networks, size
        self._waiting: dict[str, list[tuple[Name, Piece]]] = {}
        self._done: list[Done] = []

    def add(self, name: Name, piece: Piece) -> None:
        """Take a piece of a video; where that fills a batch, it is scored."""
        waiting = self._waiting.setdefault(piece.branch, [])
        waiting.append((name, piece))
        if len(waiting) == self._size:
            self._score(piece.branch)

    def drop(self, name: Name) -> None:
        """Forget the pieces of a video that wait, and what was found of it."""
        for branch, waiting in self._waiting.items():
            self._waiting[branch] = [each for each in waiting if each[0] != name]
        self._done = [done for done in self._done if done[0] != name]

    def flush(self) -> None:
        """Score what waits."""
        for branch, waiting in self._waiting.items():
            if waiting:
                self._score(branch)

    def done(self) -> Iterator[Done]:
        """Yield what was scored since the last call, each video's pieces of a branch in their order."""
        found, self._done = self._done, []
        yield from found

    def _score(self, branch: str) -> None:
        waiting, self._waiting[branch] = self._waiting[branch], []
        try:
            found = self._networks.score(self._filled([piece for _, piece in waiting]))
        except Exception as error:  # noqa: BLE001  one of them is to blame, or all together are too much
            self._done += [(name, branch, self._alone(piece, error, len(waiting))) for name, piece in waiting]
            return
        for (name, piece), scored in zip(waiting, found, strict=False):
            self._done.append((name, branch, scored[: len(piece.data)]))

    def _alone(self, piece: Piece, error: Exception, together: int) -> list[Scored] | Exception:
        """Score a piece of a batch that failed by itself."""
        if together == 1:
            return error
        try:
            return self._networks.score([piece])[0]
        except Exception as own:  # noqa: BLE001  as in scoring it alone, it costs this video's row only
            return own

    def _filled(self, pieces: list[Piece]) -> list[Piece]:
        if self._size == 1:
            return pieces
        together = self._networks.looks[pieces[0].branch].sampling.together
        whole = [_lengthened(piece, together) for piece in pieces]
        return whole + [whole[-1]] * (self._size - len(whole))


def _lengthened(piece: Piece, parts: int) -> Piece:
    """Return a piece of as many parts, the last one repeated."""
    missing = parts - len(piece.data)
    if not missing:
        return piece
    return replace(piece, data=np.concatenate([piece.data, piece.data[-1:].repeat(missing, axis=0)]))
