"""In which order training videos are seen, on each process, in each epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from zoomvqa.data.resumable import ResumableOrder


class VideoKey(NamedTuple):
    """A video to take parts from.

    Attributes:
        video: its number.
        variant: which of its cached draws, where they are cached.
        seed: draws its parts, where they are not.
    """

    video: int
    variant: int
    seed: int


class VideoBatches(ResumableOrder[list[VideoKey]]):
    """Batches of videos, the same number on every process, in another order every epoch.

    An epoch has as many rounds as there are variants, and each video once in a round.

    The batches of an epoch are as even as can be, because the branch's losses compare the samples of a batch:
    a rest of one video would teach nothing. Where the number of videos does not divide by the processes, the
    first few of the order are seen twice.

    Args:
        videos: how many.
        batch_size: of a step, over all processes together.
        seed: of the order and of the draws.
        rank: this process.
        world: number of processes.
        variants: rounds of an epoch.
    """

    def __init__(
        self, videos: int, batch_size: int, seed: int, rank: int = 0, world: int = 1, variants: int = 1
    ) -> None:
        self._videos, self._seed, self._variants = videos, seed, variants
        self._rank, self._world = rank, world
        self._local = math.ceil(videos * variants / world)
        self._batches = max(1, math.ceil(self._local * world / batch_size))

    def __len__(self) -> int:
        return self._batches

    def batches(self) -> Iterator[list[VideoKey]]:
        """Yield the batches of the epoch that was set."""
        draw = np.random.default_rng([self._seed, self._epoch])
        videos = np.concatenate([draw.permutation(self._videos) for _ in range(self._variants)])
        # Which of its variants a video shows in which round: each once.
        turns = np.stack([draw.permutation(self._variants) for _ in range(self._videos)], axis=1)
        variants = turns[np.repeat(np.arange(self._variants), self._videos), videos]
        size = self._local * self._world
        # One stream for all processes, so that a video's draw does not depend on how many there are.
        keys = np.stack([np.resize(videos, size), np.resize(variants, size), draw.integers(2**63, size=size)])
        for part in np.array_split(keys[:, self._rank :: self._world], self._batches, axis=1):
            yield [VideoKey(*(int(value) for value in key)) for key in part.T]
