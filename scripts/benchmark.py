"""Measure what this package claims about speed, each as a ratio in one run on the same work.

python scripts/benchmark.py [iqa|vqa|data|all]

iqa: a training step and a forward pass of the IQA branch, colours last in memory against colours first.
vqa: forward pass and training step of the VQA network against the plain form of the same mathematics.
data: reading the clips of a video against decoding the same frames, and the memory of both and of scoring.
"""

from __future__ import annotations

import copy
import multiprocessing
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from zoomvqa.checkpoints import Checkpoint, VQADescription
from zoomvqa.data.clip_source import ClipSource
from zoomvqa.models.backbones import create_backbone
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.plain import PlainVideoSwin
from zoomvqa.models.vqa.swin import VideoSwin
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.video.clips import clip_indices
from zoomvqa.video.reader import Video

ROUNDS = 5


def paired(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float, float]:
    """Time two pieces of work in turn; return both medians (seconds) and the median of the paired ratios."""
    one(), other()
    times: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        pair = []
        for work in (one, other):
            begin = time.perf_counter()
            work()
            pair.append(time.perf_counter() - begin)
        times.append((pair[0], pair[1]))
    first, second = zip(*times, strict=True)
    return statistics.median(first), statistics.median(second), statistics.median(b / a for a, b in times)


def iqa_rows() -> list[list[str]]:
    """Compare memory formats of the IQA branch's backbones."""
    rows = []
    for backbone, crop, batch in (("tf_efficientnet_lite0", 192, 16), ("convnext_tiny", 320, 4)):
        views = torch.randn(batch, 3, crop, crop)

        def forward(order: torch.memory_format, net: nn.Module, views: Tensor = views) -> None:
            with torch.inference_mode():
                net.eval()(views.contiguous(memory_format=order))

        def step(order: torch.memory_format, net: nn.Module, views: Tensor = views) -> None:
            sum(m.mean() for m in net.train()(views.contiguous(memory_format=order))).backward()

        orders = (torch.channels_last, torch.contiguous_format)
        nets = [create_backbone(backbone).to(memory_format=order) for order in orders]
        for name, work in (("forward", forward), ("training step", step)):
            fast, slow, ratio = paired(*(partial(work, o, n) for o, n in zip(orders, nets, strict=True)))
            what = f"{backbone} {crop}², {name}, colours last against first"
            rows.append([what, f"{slow / batch * 1e3:.1f} ms", f"{fast / batch * 1e3:.1f} ms", f"{ratio:.2f} ×"])
    return rows


def vqa_rows() -> list[list[str]]:
    """Compare the VQA network with the plain form of the same mathematics, on one clip at 336×336 (patch 6)."""
    torch.manual_seed(0)
    fast = VideoSwin(patch=(2, 6, 6), drop_path=0.0)
    plain = PlainVideoSwin(copy.deepcopy(fast))
    clip = torch.randn(1, 3, 32, 336, 336)
    rows = []
    for name, dtype, other in (
        ("float32", None, None),
        ("bfloat16", torch.bfloat16, torch.bfloat16),
        ("bfloat16 against plain float32", torch.bfloat16, None),
    ):
        ours, theirs, ratio = paired(partial(_forward, fast, clip, dtype), partial(_forward, plain, clip, other))
        apart = (_forward(fast, clip, dtype) - _forward(plain, clip, other)).abs().max()
        share = _GFLOP / ours / _matmul_rate(dtype or torch.float32)
        what = f"Video Swin-T forward, {name} (largest difference {apart:.0e}; {share:.0%} of the matmul rate)"
        rows.append([what, f"{theirs:.2f} s", f"{ours:.2f} s", f"{ratio:.2f} ×"])
    ours, theirs, ratio = paired(partial(_step, fast, clip), partial(_step, plain, clip))
    gradients = [[p.grad for p in net.parameters() if p.grad is not None] for net in (fast, plain)]
    far = max(float((p - q).abs().max() / q.abs().max()) for p, q in zip(*gradients, strict=True))
    what = f"Video Swin-T training step, float32 (gradients apart by at most {far:.0e} of the largest)"
    rows.append([what, f"{theirs:.2f} s", f"{ours:.2f} s", f"{ratio:.2f} ×"])
    return rows


# Multiplications and additions of the network for one clip at 336×336, in thousands of millions.
_GFLOP = 177.0


def _forward(net: nn.Module, clip: Tensor, dtype: torch.dtype | None) -> Tensor:
    with torch.inference_mode(), torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
        return net.eval()(clip).float()


def _step(net: nn.Module, clip: Tensor) -> None:
    net.train().zero_grad()
    # Half of the channels: the squares of all together are constant behind a layer norm.
    net(clip)[:, ::2].square().mean().backward()


def _matmul_rate(dtype: torch.dtype) -> float:
    """Return what a product of two 2048×2048 matrices reaches, in thousands of millions of operations a second."""
    one, other = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
    times = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        torch.mm(one, other)
        times.append(time.perf_counter() - begin)
    return 2 * 2048**3 / min(times) / 1e9


def data_rows() -> list[list[str]]:
    """Compare reading the clips of a video (4 of 32 frames) with decoding the same frames, in time and memory."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for width, height in ((1280, 720), (1920, 1080)):
            video = make_video(Path(folder) / f"{height}.mp4", width, height)
            ours, decoder, ratio = paired(partial(_prepare, video), partial(_decode, video))
            what = f"{height}p, 240 frames: decoding alone; with fragments"
            rows.append([what, f"{decoder:.2f} s", f"{ours:.2f} s", f"{1 / ratio:.2f} × as long"])
            told = [f"{_peak(work, video):.2f} GB" for work in (_decode, _prepare)]
            rows.append([f"{height}p: peak memory, decoding alone; with fragments", *told, ""])
            rows.append(
                [f"{height}p: peak memory of scoring it with Swin-T", "", f"{_peak(_score, video):.2f} GB", ""]
            )
    return rows


def make_video(path: Path, width: int, height: int) -> Path:
    """Make a video with detail, motion and noise."""
    picture = f"testsrc2=size={width}x{height}:rate=30,noise=alls=12:allf=t"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-loglevel",
        "error",
        "-f",
        "lavfi",
        "-i",
        picture,
        "-frames:v",
        "240",
    ]
    command += ["-c:v", "libx264", "-preset", "fast", "-crf", "23", "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True)
    return path


def _decode(video: Path) -> None:
    opened = Video(video)
    wanted = np.unique(clip_indices(len(opened), 32, 2, 4)).tolist()
    for _ in opened.frames(wanted):
        pass


def _prepare(video: Path) -> None:
    ClipSource(video, ClipSampling(), ClipView(), 4).pictures()


def _score(video: Path) -> None:
    about = VQADescription(
        version="0", unit="none", network=VQANetwork(), sampling=ClipSampling(), view=ClipView()
    )
    weights = build_vqa_net(about.network, 32, about.view.size).state_dict()
    Scorer(Checkpoint(about, weights, "zoomvqa", "made"), "cpu").score(video)


def _peak(work: Callable[[Path], None], video: Path) -> float:
    """Return the most memory that a process of its own held while it did the work, 10⁹ bytes."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, work, video).result() / 1e6


def _measured(work: Callable[[Path], None], video: Path) -> int:
    work(video)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Print the table of the part that is asked for."""
    parts = {"iqa": iqa_rows, "vqa": vqa_rows, "data": data_rows}
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    if wanted not in {*parts, "all"}:
        sys.exit(f"error: got '{wanted}', expected iqa, vqa, data or all")
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    table = Table("work", "plain", "ours", "ratio", title=f"median of {ROUNDS} paired runs; {machine}")
    for name, rows in parts.items():
        if wanted in {name, "all"}:
            for row in rows():
                table.add_row(*row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
