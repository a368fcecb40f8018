"""The optimiser's parameter groups and the learning rate over a run."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from zoomvqa.settings.shared import Optimiser
from zoomvqa.training.narrow_adamw import NarrowAdamW


def cosine_factor(iteration: int, total: int, warmup: int = 0) -> float:
    """Return the learning rate's factor at an iteration, 0..1.

    Linear over `warmup` iterations, then half a cosine to 0. As in FAST-VQA the cosine runs over all
    iterations: the warm-up is not taken off, so the rate does not quite reach 0.
    """
    if iteration < warmup:
        return iteration / max(1.0, warmup)
    return 0.5 * (1.0 + math.cos(math.pi * (iteration - warmup) / max(1, total)))


@runtime_checkable
class HasBackbones(Protocol):
    """A network that tells which of its modules are backbones; the rest of it are heads."""

    @property
    def backbones(self) -> tuple[nn.Module, ...]:
        """The modules that train with the smaller step."""
        ...


def parameter_groups(net: nn.Module, settings: Optimiser) -> list[dict]:
    """Return AdamW's groups: the backbones with their smaller step, and the rest of the network.

    Names of parameters tell nothing here: backbones have parameters with `head` in their names, too.

    Raises:
        TypeError: the network does not tell which modules are its backbones.
    """
    if not isinstance(net, HasBackbones):
        raise TypeError(f"{type(net).__name__} has no property `backbones`")
    inside = {id(p) for part in net.backbones for p in part.parameters()}
    trainable = [p for p in net.parameters() if p.requires_grad]
    backbone = [p for p in trainable if id(p) in inside]
    heads = [p for p in trainable if id(p) not in inside]
    return [
        {"params": backbone, "lr": settings.lr * settings.backbone_lr_factor, "name": "backbone"},
        {"params": heads, "lr": settings.lr, "name": "heads"},
    ]


def build_optimiser(net: nn.Module, settings: Optimiser, total: int, epochs: int) -> tuple[AdamW, LambdaLR]:
    """Return AdamW and its schedule, to be stepped every iteration; one of its own for weights in half precision.

    Args:
        net: the network.
        settings: rates, decay, warm-up.
        total: iterations of the whole run.
        epochs: of the whole run, which the warm-up is counted in.
    """
    groups = parameter_groups(net, settings)
    narrow = any(p.dtype in (torch.bfloat16, torch.float16) for p in net.parameters())
    kind = NarrowAdamW if narrow else AdamW
    optimiser = kind(groups, lr=settings.lr, weight_decay=settings.weight_decay, betas=settings.betas)
    # FAST-VQA and Zoom-VQA warm up for a whole number of iterations.
    warmup = int(settings.warmup_epochs * total / max(1, epochs))
    return optimiser, LambdaLR(optimiser, lambda i: cosine_factor(i, total, warmup))
