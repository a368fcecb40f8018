"""The optimiser's parameter groups and the learning rate over a run."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from zoomvqa.settings.shared import Optimiser


def cosine_factor(iteration: int, total: int, warmup: float = 0.0) -> float:
    """Return the learning rate's factor at an iteration, 0..1.

    Linear over `warmup` iterations, then half a cosine to 0. As in FAST-VQA the cosine runs over all
    iterations: the warm-up is not taken off, so the rate does not quite reach 0.
    """
    if iteration < warmup:
        return iteration / max(1.0, warmup)
    return 0.5 * (1.0 + math.cos(math.pi * (iteration - warmup) / max(1, total)))


def parameter_groups(net: nn.Module, settings: Optimiser) -> list[dict]:
    """Return AdamW's groups: parameters with `head` in their name, and the backbone with its smaller step."""
    trainable = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    backbone = [p for name, p in trainable if "head" not in name]
    heads = [p for name, p in trainable if "head" in name]
    return [
        {"params": backbone, "lr": settings.lr * settings.backbone_lr_factor, "name": "backbone"},
        {"params": heads, "lr": settings.lr, "name": "heads"},
    ]


def build_optimiser(net: nn.Module, settings: Optimiser, total: int, epochs: int) -> tuple[AdamW, LambdaLR]:
    """Return AdamW and its schedule, to be stepped every iteration.

    Args:
        net: the network.
        settings: rates, decay, warm-up.
        total: iterations of the whole run.
        epochs: of the whole run, which the warm-up is counted in.
    """
    groups = parameter_groups(net, settings)
    optimiser = AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay, betas=settings.betas)
    warmup = settings.warmup_epochs * total / max(1, epochs)
    return optimiser, LambdaLR(optimiser, lambda i: cosine_factor(i, total, warmup))
