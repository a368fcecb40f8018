"""The networks alone: memory formats of the IQA branch, the VQA branch against its plain form."""

from __future__ import annotations

import copy
import time
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.timing import ROUNDS, Rows, paired
from zoomvqa.models.backbones import create_backbone
from zoomvqa.models.vqa.plain import PlainVideoSwin
from zoomvqa.models.vqa.swin import VideoSwin


def iqa_rows() -> Rows:
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


def vqa_rows() -> Rows:
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
