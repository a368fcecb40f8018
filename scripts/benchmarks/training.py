"""Training steps as a run takes them, data included, against the release's way of the same step."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from benchmarks import release
from benchmarks.material import make_set
from benchmarks.timing import Rows, alone
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.console import console
from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.data.part_training import PartTraining
from zoomvqa.data.video_training import VideoTraining
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.attention import compile_attention
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.branch import PartLoading, VideoLoading
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.loss import PlainLoss, PlccRankLoss
from zoomvqa.settings.shared import Optimiser
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.training.module import QualityModule
from zoomvqa.video.export import export_frames
from zoomvqa.views import look_of

# Samples a step; steps that are measured; rounds over all ways, so that none has the machine's better hours.
_BATCH = {"iqa": 16, "vqa": 2}
_STEPS = {"iqa": 4, "vqa": 3}
_ROUNDS = 2
_VIDEOS = 12


@dataclass(frozen=True)
class Way:
    """One way of training a branch.

    Attributes:
        name: for the table.
        workers: processes that read data.
        precision: as Lightning names it.
        compile: compile the network, as `compile=true` does.
        kept: from the cache on disk (iqa: frames; vqa: drawn clips), not from the videos.
        plain: the release's way.
        keep: keep freed memory, as `train.py` does.
    """

    name: str
    workers: int = 2
    precision: Any = "32-true"
    compile: bool = False
    kept: bool = False
    plain: bool = False
    keep: bool = True


WAYS = {
    "iqa": (
        Way("the release's way, float32, 2 workers", plain=True, keep=False),
        Way("the release's way, float32, 2 workers, freed memory kept", plain=True),
        Way("float32, frame cache, 2 workers", kept=True),
        Way("float32, frame cache, 2 workers, freed memory not kept", kept=True, keep=False),
        Way("float32, frame cache, no workers", kept=True, workers=0),
        Way("float32, no cache, 2 workers"),
        Way("float32, frame cache, compiled", kept=True, compile=True),
        Way("bf16-mixed, frame cache, 2 workers", precision="bf16-mixed", kept=True),
        Way("bf16-mixed, frame cache, compiled", precision="bf16-mixed", kept=True, compile=True),
    ),
    "vqa": (
        Way("the release's way, float32, 2 workers", plain=True, keep=False),
        Way("the release's way, float32, 2 workers, freed memory kept", plain=True),
        Way("float32, 2 workers"),
        Way("float32, 2 workers, freed memory not kept", keep=False),
        Way("float32, 2 workers, compiled", compile=True),
        Way("float32, no workers", workers=0),
        Way("float32, drawn clips kept", kept=True),
        Way("bf16-mixed, 2 workers", precision="bf16-mixed"),
        Way("bf16-mixed, 2 workers, compiled", precision="bf16-mixed", compile=True),
        Way("bf16-mixed, drawn clips kept", precision="bf16-mixed", kept=True),
    ),
}


def train_rows(branches: Iterable[str] = WAYS, words: str = "") -> Rows:
    """Measure ways of training branches on 720p videos.

    Args:
        branches: `iqa`, `vqa`.
        words: only ways with this in their name; the first, which all are measured against, is always there.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        labelled = make_set(Path(folder), _VIDEOS)
        for branch in branches:
            ways = [way for at, way in enumerate(WAYS[branch]) if at == 0 or words in way.name]
            measured: dict[str, list[Any]] = {way.name: [] for way in ways}
            for _ in range(_ROUNDS):
                for way in ways:
                    told, memory = alone(partial(measure, branch, way, labelled, Path(folder)))
                    rate, wait = told
                    measured[way.name].append((rate, wait, memory))
                    console.print(f"{branch}, {way.name}: {rate:.2f} samples/s", style="dim", highlight=False)
            plain = [rate for rate, _, _ in measured[ways[0].name]]
            for way in ways:
                rates, waits, memories = zip(*measured[way.name], strict=True)
                ratios = [ours / theirs for ours, theirs in zip(rates, plain, strict=True)]
                ratio = f"{statistics.median(ratios):.2f} × (least {min(ratios):.2f})"
                what = f"{branch}, {way.name} (waits {statistics.median(waits):.0%}, {max(memories):.1f} GB)"
                rows.append([what, *(f"{statistics.median(r):.2f}/s" for r in (plain, rates)), ratio])
    return rows


def measure(branch: str, way: Way, labelled: LabelledSet, folder: Path) -> tuple[float, float]:
    """Train a few steps; return samples a second and the share of the time that was spent waiting for data."""
    torch.manual_seed(0)
    if way.keep:
        keep_freed_memory()
    steps = _STEPS[branch] + 2
    times = (_plain if way.plain else _ours)(branch, way, labelled, folder, steps)
    # The first steps start workers and compile.
    waits, computes = times[4::2], times[5::2]
    total = sum(waits) + sum(computes)
    return _BATCH[branch] * len(computes) / total, sum(waits) / total


def _plain(branch: str, way: Way, labelled: LabelledSet, folder: Path, steps: int) -> list[float]:
    batch, videos = _BATCH[branch], labelled.part("train")
    if branch == "vqa":
        net = release.plain_vqa(build_vqa_net(VQANetwork(), 32, ClipView().size))
        clips = release.loader(release.ClipFragments(videos, ClipView()), batch, way.workers)
        return release.train_plainly(net, PlccRankLoss(), clips, steps)
    pictures = folder / "pictures"
    for video in () if pictures.is_dir() else videos:
        export_frames(video.path, pictures / video.name, FrameSampling().rate)
    crops = release.PictureCrops(sorted(pictures.rglob("*.png")), FrameView())
    plain = release.PlainIQA(build_iqa_net(IQANetwork(), FrameView().crop))
    return release.train_plainly(plain, PlainLoss(), release.loader(crops, batch, way.workers), steps)


def _ours(branch: str, way: Way, labelled: LabelledSet, folder: Path, steps: int) -> list[float]:
    module, data = (_iqa if branch == "iqa" else _vqa)(way, labelled, folder)
    if way.compile and not compile_attention(module):
        module.net.compile()
    clock = _Clock()
    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = lightning.Trainer(
        accelerator="cpu", devices=1, max_epochs=1, limit_train_batches=steps, limit_val_batches=0,
        precision=way.precision, callbacks=[clock], enable_model_summary=False, **quiet,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    return clock.times


def _iqa(way: Way, labelled: LabelledSet, folder: Path) -> tuple[QualityModule, VideoDataModule]:
    looks = {"iqa": look_of(FrameSampling(), FrameView())}
    cache = str(folder / "frames") if way.kept else None
    loading = PartLoading(batch_size=_BATCH["iqa"], workers=way.workers, cache=way.kept, cache_folder=cache)
    data = VideoDataModule(labelled, looks, PartTraining("iqa", looks["iqa"], loading), way.workers)
    net = build_iqa_net(IQANetwork(), FrameView().crop)
    return QualityModule(net, looks, PlainLoss(), Optimiser(), {}), data


def _vqa(way: Way, labelled: LabelledSet, folder: Path) -> tuple[QualityModule, VideoDataModule]:
    looks = {"vqa": look_of(ClipSampling(), ClipView())}
    cache = str(folder / "clips")
    loading = VideoLoading(
        batch_size=_BATCH["vqa"], workers=way.workers, variants=2 if way.kept else 0, cache_folder=cache
    )
    data = VideoDataModule(labelled, looks, VideoTraining(looks, loading), way.workers)
    net = build_vqa_net(VQANetwork(), 32, ClipView().size)
    return QualityModule(net, looks, PlccRankLoss(), Optimiser(), {}), data


class _Clock(Callback):
    """Keeps the wait for each batch and the time of each step, in turn."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._mark = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        self._mark = time.perf_counter()

    def on_train_batch_start(self, *_: Any) -> None:
        self._tick()

    def on_train_batch_end(self, *_: Any) -> None:
        self._tick()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.times.append(now - self._mark)
        self._mark = now
