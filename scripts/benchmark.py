"""Measure what this package claims about speed, each as a ratio in one run on the same work.

python scripts/benchmark.py [iqa|vqa|all]

iqa: a training step and a forward pass of the IQA branch, colours last in memory against colours first.
vqa: a forward pass of the VQA network, its attention against the plain form of the same mathematics.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from zoomvqa.models.backbones import create_backbone
from zoomvqa.models.vqa.swin import VideoSwin

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
    """Compare forms of attention in the VQA network, on one clip at 336×336 (patch 6)."""
    rows = []
    fast, plain = (VideoSwin(patch=(2, 6, 6), plain=p).eval() for p in (False, True))
    plain.load_state_dict(fast.state_dict())
    clip = torch.randn(1, 3, 32, 336, 336)
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        nets = [net.to(dtype) for net in (fast, plain)]
        work = clip.to(dtype)

        @torch.inference_mode()
        def forward(net: nn.Module, work: Tensor = work) -> Tensor:
            return net(work)

        one, other, ratio = paired(partial(forward, nets[0]), partial(forward, nets[1]))
        apart = (forward(nets[0]).float() - forward(nets[1]).float()).abs().max()
        what = f"Video Swin-T, forward, {name} (largest difference {apart:.1e})"
        rows.append([what, f"{other:.2f} s", f"{one:.2f} s", f"{ratio:.2f} ×"])
    return rows


def main() -> None:
    """Print the table of the part that is asked for."""
    parts = {"iqa": iqa_rows, "vqa": vqa_rows}
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    if wanted not in {*parts, "all"}:
        sys.exit(f"error: got '{wanted}', expected iqa, vqa or all")
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    table = Table("work", "plain", "ours", "ratio", title=f"median of {ROUNDS} paired runs; {machine}")
    for name, rows in parts.items():
        if wanted in {name, "all"}:
            for row in rows():
                table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
