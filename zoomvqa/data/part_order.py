"""In which order training frames are seen, on each process, in each epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from zoomvqa.data.resumable import ResumableOrder


class PartKey(NamedTuple):
    """A frame to load: which video, which of its frames, and the seed that draws its crop and flip."""

    video: int
    frame: int
    seed: int


class PartBatches(ResumableOrder[list[PartKey]]):
    """Batches of frames, the same number on every process, different in every epoch.

    With all frames at hand (`grouped=False`) the frames of all videos are shuffled together. Otherwise videos
    are shuffled, each belongs to one worker, and a worker's frames are shuffled within groups of
    `group_size` videos: a worker that remembers that many videos decodes each about once an epoch. (The last
    groups are shared out to keep all workers busy, and with several processes a few frames stand in for others.)

    Args:
        counts: number of frames of each video.
        batch_size: frames a batch; the last batch of an epoch may be smaller.
        seed: of the order and of the crops.
        rank: this process.
        world: number of processes.
        grouped: whether to keep videos together.
        workers: worker processes of the loader, which take batches in turn.
        group_size: videos whose frames are mixed when grouped.
    """

    def __init__(
        self,
        counts: Sequence[int],
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        *,
        grouped: bool = False,
        workers: int = 0,
        group_size: int = 8,
    ) -> None:
        self._counts = list(counts)
        self._batch_size = batch_size
        self._seed = seed
        self._rank, self._world = rank, world
        self._grouped, self._workers, self._group_size = grouped, max(1, workers), group_size

    def __len__(self) -> int:
        return math.ceil(self._per_process() / self._batch_size)

    def batches(self) -> Iterator[list[PartKey]]:
        """Yield the batches of the epoch that was set."""
        order = self._grouped_order() if self._grouped else self._free_order()
        keys = [PartKey(v, f, int(s)) for (v, f), s in zip(order, self._crop_seeds(len(order)), strict=True)]
        for start in range(0, len(keys), self._batch_size):
            yield keys[start : start + self._batch_size]

    def _per_process(self) -> int:
        return math.ceil(sum(self._counts) / self._world)

    def _draw(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, self._epoch, purpose])

    def _crop_seeds(self, size: int) -> np.ndarray:
        # One stream for all processes, so that a frame's crop does not depend on how many there are.
        return self._draw(1).integers(2**63, size=size * self._world)[self._rank :: self._world]

    def _free_order(self) -> list[tuple[int, int]]:
        frames = [(video, frame) for video, count in enumerate(self._counts) for frame in range(count)]
        order = self._draw(0).permutation(len(frames))
        padded = np.resize(order, self._per_process() * self._world)
        return [frames[i] for i in padded[self._rank :: self._world]]

    def _grouped_order(self) -> list[tuple[int, int]]:
        draw = self._draw(0)
        videos = draw.permutation(len(self._counts))[self._rank :: self._world]
        if not len(videos):  # fewer videos than processes: share them
            videos = np.array([self._rank % len(self._counts)])
        queues = [self._worker_queue(share, draw) for share in self._shares(videos)]
        order: list[tuple[int, int]] = []
        for turn in range(len(self)):
            wanted = self._batch_size
            queue = queues[turn % self._workers]
            while wanted and any(queues):
                queue = queue or max(queues, key=len)  # this worker's share is done: help the busiest
                order += queue[:wanted]
                taken = min(wanted, len(queue))
                del queue[:taken]
                wanted -= taken
        size = self._per_process()
        return (order * math.ceil(size / len(order)))[:size]

    def _shares(self, videos: np.ndarray) -> list[list[int]]:
        """Deal videos to the workers so that each has about as many frames."""
        shares: list[list[int]] = [[] for _ in range(self._workers)]
        load = [0] * self._workers
        for video in videos:
            least = load.index(min(load))
            shares[least].append(int(video))
            load[least] += self._counts[video]
        return shares

    def _worker_queue(self, videos: list[int], draw: np.random.Generator) -> list[tuple[int, int]]:
        queue: list[tuple[int, int]] = []
        for start in range(0, len(videos), self._group_size):
            group = [(v, f) for v in videos[start : start + self._group_size] for f in range(self._counts[v])]
            queue += [group[i] for i in draw.permutation(len(group))]
        return queue
