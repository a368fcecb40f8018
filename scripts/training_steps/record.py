"""What is recorded of a few training steps, and how two records compare."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from unittest.mock import patch

import torch
from torch import Tensor, nn

Tensors = dict[str, Tensor]


@dataclass
class Record:
    """A few steps of one training.

    Attributes:
        start: the weights before the first step.
        losses: of each step.
        rates: of each step, the learning rate of each parameter.
        decays: the weight decay of each parameter.
        gradients: of the first step.
        weights: behind the last step.
        average: the moving average behind the last step.
        batch_size: samples a step.
    """

    start: Tensors = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    rates: list[dict[str, float]] = field(default_factory=list)
    decays: dict[str, float] = field(default_factory=dict)
    gradients: Tensors = field(default_factory=dict)
    weights: Tensors = field(default_factory=dict)
    average: Tensors = field(default_factory=dict)
    batch_size: int = 0


def stays_float64() -> AbstractContextManager:
    """Let `Tensor.float` leave float64 as it is: rounding to float32 midway would hide what differs."""
    plain = torch.Tensor.float
    return patch.object(torch.Tensor, "float", lambda x: x if x.dtype == torch.float64 else plain(x))


def tensors_of(net: nn.Module) -> Tensors:
    """Return copies of a network's parameters and floating-point buffers."""
    return {name: value.detach().clone() for name, value in net.state_dict().items() if value.is_floating_point()}


def gradients_of(net: nn.Module) -> Tensors:
    """Return copies of the gradients that there are."""
    return {name: p.grad.detach().clone() for name, p in net.named_parameters() if p.grad is not None}


def compare(ours: Record, public: Record) -> dict[str, float]:
    """Return the worst difference of each quantity, relative to the largest value of its tensor.

    A gradient that should be zero, as of a shift that a correlation does not see, is noise: it counts beside the
    largest of all.
    """
    step = max(range(len(ours.rates)), key=lambda i: max(ours.rates[i].values()))
    return {
        "starting weights": _tensors(ours.start, public.start),
        "loss": max(_number(a, b) for a, b in zip(ours.losses, public.losses, strict=True)),
        "rates": max(_numbers(a, b) for a, b in zip(ours.rates, public.rates, strict=True)),
        "weight decay": _numbers(ours.decays, public.decays),
        "gradients": _tensors(ours.gradients, public.gradients, 1e-6 * _largest(public.gradients)),
        f"weights after {len(ours.losses)} steps": _tensors(ours.weights, public.weights),
        "their change": _change(ours, public),
        f"average after {len(ours.losses)} steps": _tensors(ours.average, public.average),
        "batch size": _number(ours.batch_size, public.batch_size),
        "(largest rate compared)": max(ours.rates[step].values()),
    }


def _number(one: float, other: float) -> float:
    return abs(one - other) / max(abs(one), abs(other), 1e-30)


def _numbers(one: dict[str, float], other: dict[str, float]) -> float:
    if one.keys() != other.keys():
        return float("inf")
    return max(_number(one[name], other[name]) for name in one)


def _tensors(one: Tensors, other: Tensors, floor: float = 0.0) -> float:
    """Return the worst difference; a tensor that only one side has is infinitely wrong."""
    if one.keys() != other.keys():
        return float("inf")
    return max(_apart(one[name], other[name], floor) for name in one)


def _apart(one: Tensor, other: Tensor, floor: float) -> float:
    size = max(float(one.abs().max()), float(other.abs().max()), floor)
    return float((one - other).abs().max()) / size if size else 0.0


def _largest(tensors: Tensors) -> float:
    return max(float(value.abs().max()) for value in tensors.values())


def _change(ours: Record, public: Record) -> float:
    """Compare by how much the weights have moved, of all parameters together: noise is small beside it."""
    if not ours.weights.keys() == public.weights.keys() == public.start.keys():
        return float("inf")
    apart, moved = 0.0, 0.0
    for name, weight in ours.weights.items():
        apart = max(apart, float((weight - public.weights[name]).abs().max()))
        moved = max(moved, float((public.weights[name] - public.start[name]).abs().max()))
    return apart / moved
