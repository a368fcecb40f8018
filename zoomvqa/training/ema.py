"""The exponential moving average (EMA) of a network's weights."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from zoomvqa.internals.torch_private import follow


class MovingAverage(nn.Module):
    """A copy of a network whose weights follow the network's own as an exponential moving average.

    It starts from the weights that the network has now; torch's `AveragedModel` would take those behind the first
    step. Buffers of floating-point numbers, such as the statistics of batch norms, are averaged too; counts are
    copied. Parameters are named as in `AveragedModel`.

    Args:
        net: the network, with the weights that training starts from.
        decay: how much of the average stays in an update, 0..1.
        ramp: begin with a smaller decay: after n updates it is min(decay, (1 + n) / (2 + n)).

    Attributes:
        module: the averaged network.
        n_averaged: number of updates, () int64; it is saved, so that a resumed run ramps on.
    """

    n_averaged: Tensor

    def __init__(self, net: nn.Module, decay: float, *, ramp: bool = False) -> None:
        super().__init__()
        self.module = deepcopy(net).requires_grad_(requires_grad=False)
        self._decay, self._ramp = decay, ramp
        self.register_buffer("n_averaged", torch.tensor(0))

    def decay(self) -> float:
        """Return how much of the average stays in the next update."""
        if not self._ramp:
            return self._decay
        done = int(self.n_averaged)
        return min(self._decay, (1 + done) / (2 + done))

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Let the average follow the network by one step."""
        decay = self.decay()
        pairs = list(zip(_tensors(self.module), _tensors(net), strict=True))
        averages = [mine for mine, _ in pairs if mine.is_floating_point()]
        news = [own.detach() for mine, own in pairs if mine.is_floating_point()]
        follow(averages, news, decay)
        for mine, own in pairs:
            if not mine.is_floating_point():
                mine.copy_(own)
        self.n_averaged += 1


def _tensors(net: nn.Module) -> list[Tensor]:
    return [*net.parameters(), *net.buffers()]
