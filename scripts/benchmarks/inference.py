"""The VQA network as scoring uses it against its plain form, each in a process of its own."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from benchmarks.timing import ROUNDS, Rows, alone
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.models.inference import prepare_for_scoring
from zoomvqa.models.vqa.plain import PlainVideoSwin
from zoomvqa.models.vqa.swin import VideoSwin

_ROUNDS = 3


@dataclass(frozen=True)
class Form:
    """One form of the network.

    Attributes:
        half: in bfloat16.
        plain: the plain form; otherwise ours, prepared for scoring.
        keep: keep freed memory, as the prepared network does.
        compiled: with what is built in C++.
    """

    half: bool = False
    plain: bool = False
    keep: bool = True
    compiled: bool = False

    def __str__(self) -> str:
        precision = "bfloat16" if self.half else "float32"
        if self.plain:
            return f"plain {precision}{', freed memory kept' if self.keep else ''}"
        return f"{precision}, prepared{' and compiled' if self.compiled else ''}"


PLAIN = [Form(half, plain=True, keep=keep) for half in (False, True) for keep in (False, True)]
OURS = [Form(), Form(compiled=True), Form(half=True), Form(half=True, compiled=True)]


def scoring_rows() -> Rows:
    """Compare every form of ours with every plain one, on one clip at 336×336 (patch 6), in turn."""
    found: dict[Form, list[tuple[float, float]]] = {form: [] for form in PLAIN + OURS}
    for _ in range(_ROUNDS):
        for form, times in found.items():
            times.append(alone(partial(measure, form))[0])
    rows = []
    for ours in OURS:
        for plain in PLAIN:
            pairs = list(zip(found[plain], found[ours], strict=True))
            walls, cpus = ([theirs[i] / mine[i] for theirs, mine in pairs] for i in (0, 1))
            told = [f"{statistics.median(wall for wall, _ in found[form]):.2f} s" for form in (plain, ours)]
            ratio = f"{statistics.median(walls):.2f} × (least {min(walls):.2f}; CPU {statistics.median(cpus):.2f})"
            rows.append([f"clip, {ours} against {plain}", *told, ratio])
    return rows


def measure(form: Form) -> tuple[float, float]:
    """Return the shortest time and the shortest CPU time of a forward pass, seconds.

    CPU time is that of both threads, and what others do on the machine changes it less.
    """
    torch.manual_seed(0)
    net: nn.Module = VideoSwin(patch=(2, 6, 6), drop_path=0.0).eval()
    if form.plain:
        net = PlainVideoSwin(net).eval()  # type: ignore[arg-type]
        if form.keep:
            keep_freed_memory()
    else:
        keep_freed_memory()  # as predict.py does
        prepare_for_scoring(net, "bf16-mixed" if form.half else "32-true", compile=form.compiled)
    clip = torch.randn(1, 3, 32, 336, 336)
    walls, cpus = [], []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=form.half):
        net(clip)
        for _ in range(ROUNDS):
            begin, used = time.perf_counter(), time.process_time()
            net(clip)
            walls.append(time.perf_counter() - begin)
            cpus.append(time.process_time() - used)
    return min(walls), min(cpus)
