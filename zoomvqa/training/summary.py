"""The parts of a network with their parameters and operations, as a table."""

from __future__ import annotations

from typing import NamedTuple

import torch
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


class Part(NamedTuple):
    """A part of a network.

    Attributes:
        name: of the module within the network.
        parameters: how many, 10⁶.
        trained: how many of them training changes, 10⁶.
        gflops: 10⁹ floating-point operations of a forward pass of one sample; a product and its sum are two.
    """

    name: str
    parameters: float
    trained: float
    gflops: float


def parts_of(net: nn.Module, example: tuple[Tensor, ...]) -> list[Part]:
    """Return the parts of a network, the whole of it last; matrix products and convolutions are counted.

    Args:
        net: the network.
        example: its inputs for one sample.
    """
    before = net.training
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        net.eval()(*example)
    net.train(before)
    counts = {name: sum(found.values()) / 1e9 for name, found in counter.get_flop_counts().items()}
    whole = type(net).__name__
    found = [_part(name, part, counts.get(f"{whole}.{name}", 0.0)) for name, part in net.named_children()]
    return [*(part for part in found if part.parameters), _part("all", net, counts.get("Global", 0.0))]


def _part(name: str, module: nn.Module, gflops: float) -> Part:
    sizes = [(p.numel() / 1e6, p.requires_grad) for p in module.parameters()]
    return Part(name, sum(n for n, _ in sizes), sum(n for n, trained in sizes if trained), gflops)


def summary_table(parts: list[Part], sample: str) -> Table:
    """Return the table of a network's parts.

    Args:
        parts: of `parts_of`.
        sample: what one sample is, for the title.
    """
    table = Table("part", title=f"Network, for {sample}")
    for column in ("parameters, M", "trained, M", "GFLOPs"):
        table.add_column(column, justify="right")
    for at, part in enumerate(parts):
        numbers = (f"{part.parameters:.3f}", f"{part.trained:.3f}", f"{part.gflops:.3f}")
        table.add_row(part.name, *numbers, end_section=at == len(parts) - 2)
    return table
