"""End-to-end scoring of videos with both branches against the release's way, and what a video costs."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from benchmarks.checkpoints import fused
from benchmarks.material import make_video
from benchmarks.processes import Peak
from benchmarks.release_scoring import ReleaseScorer
from benchmarks.timing import Rows, alone
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.checkpoints import Checkpoint
from zoomvqa.console import console
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.scoring.bulk import default_workers, score_many
from zoomvqa.scoring.pieces import pieces_of_file
from zoomvqa.scoring.scorer import Scorer

HEIGHTS = (540, 720)
VIDEOS = 4
ROUNDS = 2
# Bit rates of 0.6 to 2.7 Mbit/s at 540p, as the videos of KoNViD-1k have.
NOISE = 4
PATIENCE = 600.0


class Way(NamedTuple):
    """How ours scores: in which precision, and with what is built in C++ or without."""

    precision: Any
    compiled: bool = False

    def __str__(self) -> str:
        return f"{self.precision}{', compile=true' if self.compiled else ''}"


WAYS = (Way("32-true"), Way("32-true", compiled=True), Way("bf16-mixed", compiled=True))
GPU_WAYS = (Way("32-true"), Way("bf16-mixed")) if torch.cuda.is_available() else ()


class Measured(NamedTuple):
    """What scoring some videos came to.

    Attributes:
        seconds: a video, starting processes included.
        scores: of the videos, in order.
        waiting: share of the time from the network's first work to its last that it did none; NaN where not told.
        memory: the most that all processes held, 10⁶ bytes.
    """

    seconds: float
    scores: list[float]
    waiting: float
    memory: float


def score_rows(words: str = "") -> Rows:
    """Compare scoring of 8-second videos, and tell what a 10-second 1080p video costs.

    Args:
        words: which of `540p`, `720p` and `cost`; all where it is empty.
    """
    wanted = words.split() or [*(f"{height}p" for height in HEIGHTS), "cost"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for height in (height for height in HEIGHTS if f"{height}p" in wanted):
            size = height * 16 // 9, height
            videos = [
                make_video(Path(folder) / f"{height}_{i}.mp4", *size, crf=20 + 4 * i, noise=NOISE)
                for i in range(VIDEOS)
            ]
            rows += compared(f"{height}p", videos, ROUNDS)
        if "cost" in wanted:
            rows += cost_rows(Path(folder))
    return rows


def compared(name: str, videos: list[Path], rounds: int) -> Rows:
    """Return a row for each way; each is done in a process of its own, in turn with the release's."""
    works: dict[Way | None, Callable[[], Measured]] = {None: partial(theirs, videos)}
    works |= {way: partial(ours, videos, way) for way in WAYS}
    found: dict[Way | None, list[Measured]] = {way: [] for way in works}
    for _ in range(rounds):
        for way, work in works.items():
            told, _memory = alone(work)
            found[way].append(told)
            console.print(
                f"{name}, {way or 'release'}: {told.seconds:.1f} s a video", style="dim", highlight=False
            )
    return [_row(name, str(way), found[None], found[way]) for way in WAYS]


def _row(name: str, way: str, plain: list[Measured], own: list[Measured]) -> list[str]:
    ratio = statistics.median(one.seconds / other.seconds for one, other in zip(plain, own, strict=True))
    apart = max(abs(a - b) for a, b in zip(plain[0].scores, own[0].scores, strict=True))
    memories = [max(each.memory for each in way) / 1e3 for way in (plain, own)]
    waiting = statistics.median(each.waiting for each in own)
    what = (
        f"{name}, both branches, {way}: scores apart by {apart:.1e}, waits {waiting:.0%}, "
        f"{memories[1]:.1f} GB against {memories[0]:.1f} GB"
    )
    seconds = [statistics.median(each.seconds for each in way) for way in (plain, own)]
    return [what, *(f"{s:.2f} s" for s in seconds), f"{ratio:.2f} ×"]


def theirs(videos: list[Path], *, small: bool = False) -> Measured:
    """Score videos as the release does."""
    scorer = ReleaseScorer(fused(small=small))
    with Peak() as peak:
        begin = time.perf_counter()
        scores = [scorer.score(video) for video in videos]
        seconds = time.perf_counter() - begin
    return Measured(seconds / len(videos), scores, float("nan"), peak.memory)


def ours(videos: list[Path], way: Way, *, small: bool = False) -> Measured:
    """Score videos as `predict.py` does."""
    clock = Clock()
    scorer = Scorer(clock.watch(fused(small=small)), "cpu", way.precision, compiled=way.compiled)
    keep_freed_memory()  # as predict.py does
    named = [(str(number), str(video)) for number, video in enumerate(videos)]
    workers = default_workers(scorer.device, len(videos))
    with Peak() as peak:
        begin = time.perf_counter()
        found = dict(score_many(scorer, named, workers=workers, patience=PATIENCE))
        seconds = time.perf_counter() - begin
    if failed := [result.error for result in found.values() if result.score is None]:
        raise RuntimeError(f"{len(failed)} videos were not scored: {failed[0]}")
    scores = [float(found[name].score or 0.0) for name, _ in named]
    return Measured(seconds / len(videos), scores, clock.waiting, peak.memory)


@dataclass
class Clock:
    """Notes when networks work.

    Attributes:
        spans: when each work began and ended, seconds.
    """

    spans: list[tuple[float, float]] = field(default_factory=list)

    def watch(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return a checkpoint whose networks are watched."""
        clock = self

        class Watched(Checkpoint):
            def build_net(self) -> nn.Module:
                net = super().build_net()
                assert isinstance(net, FusionNet)  # noqa: S101
                for branch in net.branches.values():
                    clock._listen(branch)
                return net

        return Watched(checkpoint.description, checkpoint.weights, checkpoint.source, checkpoint.told)

    def _listen(self, net: nn.Module) -> None:
        begun: list[float] = []
        net.register_forward_pre_hook(lambda *_: begun.append(self._done()))
        net.register_forward_hook(lambda *_: self.spans.append((begun.pop(), self._done())))

    def _done(self) -> float:
        """Return the time when what was asked of a GPU is done, too."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()

    @property
    def waiting(self) -> float:
        """Share of the time from the first work to the last that was none; NaN where there was none at all."""
        if not self.spans:
            return float("nan")
        whole = self.spans[-1][1] - self.spans[0][0]
        return max(0.0, 1 - sum(end - begin for begin, end in self.spans) / whole)

    @property
    def working(self) -> float:
        """Seconds of work."""
        return sum(end - begin for begin, end in self.spans)


def cost_rows(
    folder: Path, *, size: tuple[int, int] = (1920, 1080), frames: int = 300, small: bool = False
) -> Rows:
    """Return what one video costs a core, and a GPU where there is one: the inputs of `docs/cost.md`."""
    video = make_video(folder / "cost.mp4", *size, frames=frames, noise=NOISE)
    rows = []
    for way, device in [*((way, "cpu") for way in WAYS), *((way, "cuda") for way in GPU_WAYS)]:
        told, _memory = alone(partial(core_seconds, video, way, device=device, small=small))
        what, unit = f"{frames} frames of {size[1]}p, {way}", "core s" if device == "cpu" else "GPU s"
        if device == "cpu":
            rows.append([f"{what}: decoding and preparing", "", f"{told.preparing:.2f} core s", ""])
        rows.append([f"{what}: both networks", "", f"{told.networks:.2f} {unit}", ""])
    return rows


class Cost(NamedTuple):
    """What a video costs.

    Attributes:
        preparing: seconds of one core for decoding it and cutting what the networks see.
        networks: seconds of one core, or of a GPU, for them.
    """

    preparing: float
    networks: float


def core_seconds(video: Path, way: Way, *, device: str = "cpu", small: bool = False) -> Cost:
    """Score a video on one core and return what it costs, whatever else the machine does.

    Processor time is counted, of all threads; only what a GPU does is timed.
    """
    torch.set_num_threads(1)
    with suppress(
        AttributeError, OSError
    ):  # decoders start as many threads as there are cores; Linux can bind them
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    clock = Clock()
    scorer = Scorer(clock.watch(fused(small=small)), device, way.precision, compiled=way.compiled)
    if scorer.device.type == "cpu":
        keep_freed_memory()
    scorer.score(video)  # to warm up
    begin = time.process_time()
    for _ in pieces_of_file(video, scorer.networks.looks, scorer.reading):
        pass
    preparing = time.process_time() - begin
    clock.spans.clear()
    begin = time.process_time()
    scorer.score(video)
    # Decoders work ahead while networks do: what these take is what is left.
    networks = time.process_time() - begin - preparing if device == "cpu" else clock.working
    return Cost(preparing, networks)
