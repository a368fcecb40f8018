"""A start for networks that are trained from nothing: patch filters that see detail.

Random filters see mostly the brightness of a patch, and few videos do not teach them better: on the demo's 112
videos the nano network did not learn its own training set. A cosine basis starts from what encoders throw away.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_LUMA = (0.299, 0.587, 0.114)


def dct_filters(times: int, side: int, count: int | None = None) -> Tensor:
    """Return (filters, 3, times, side, side) float32 filters of a 2-D cosine basis on brightness.

    Lowest frequencies first, each once averaged over time and once as the difference between the patch's halves in
    time. They are scaled by their frequency, against the 1/f spectrum of pictures, so that all speak as loudly.

    Args:
        times: frames of a patch.
        side: of a patch, pixels.
        count: of filters; None is all 2 · side² of them.
    """
    places = torch.arange(side) + 0.5
    basis = torch.cos(math.pi / side * torch.arange(side)[:, None] * places[None]) * math.sqrt(2 / side)
    basis[0] /= math.sqrt(2)
    mean = torch.full((times,), 1 / times)
    change = torch.where(torch.arange(times) < times / 2, 1.0, -1.0) / times
    count = 2 * side**2 if count is None else min(count, 2 * side**2)
    frequencies = sorted(((r, c) for r in range(side) for c in range(side)), key=lambda p: (sum(p), p))
    filters = []
    for row, column in frequencies[: (count + 1) // 2]:
        loud = 2.0 * math.sqrt(1 + row**2 + column**2) if row or column else 1 / side
        picture = basis[row][:, None] * basis[column][None]
        for course, weight in ((mean, loud), (change, 4.0 * math.sqrt(1 + row**2 + column**2))):
            colours = torch.tensor(_LUMA).view(3, 1, 1, 1)
            filters.append(weight * colours * course.view(1, -1, 1, 1) * picture)
    return torch.stack(filters[:count])


@torch.no_grad()
def start_from_dct(embedding: nn.Conv3d) -> None:
    """Give a patch embedding the filters above; channels that are left over stay random."""
    times, side = embedding.kernel_size[:2]
    filters = dct_filters(times, side, embedding.out_channels)
    embedding.weight[: len(filters)] = filters
    assert embedding.bias is not None  # noqa: S101  ours has one
    embedding.bias.zero_()
