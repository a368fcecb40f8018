"""Mixup (arXiv 1710.09412) and cutmix (arXiv 1905.04899) of a batch of views."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from zoomvqa.settings.branch import Mixing


class Mixed(NamedTuple):
    """A mixed batch.

    Attributes:
        views: (batch, 3, h, w) like the input.
        partner: (batch,) int64, whom each sample was mixed with.
        share: part of each sample that is its own, 0..1; its loss counts as much, the partner's the rest.
    """

    views: Tensor
    partner: Tensor
    share: float


def mix(views: Tensor, settings: Mixing, sets: Tensor | None = None) -> Mixed | None:
    """Mix each sample with another one of the batch, or return None when both ways are off.

    With both on, one of them is drawn for each batch. Partners are of the same set where `sets`, (batch,) int64,
    tells it: scores of two sets cannot be mixed.
    """
    ways = [way for way in ("mixup", "cutmix") if getattr(settings, way) > 0]
    if not ways:
        return None
    way = ways[int(torch.randint(len(ways), ()))]
    alpha = getattr(settings, way)
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    order = torch.randperm(len(views), device=views.device)
    partner = order if sets is None else _within(order, sets)
    if way == "mixup":
        return Mixed(share * views + (1 - share) * views[partner], partner, share)
    return _cutmix(views, partner, share)


def _within(order: Tensor, sets: Tensor) -> Tensor:
    """Return partners in the order drawn, each sample's of its own set."""
    partner = torch.empty_like(order)
    for number in sets.unique():
        partner[sets == number] = order[sets[order] == number]
    return partner


def _cutmix(views: Tensor, partner: Tensor, share: float) -> Mixed:
    height, width = views.shape[-2:]
    side = (1 - share) ** 0.5
    row, column = int(torch.randint(height, ())), int(torch.randint(width, ()))
    half_height, half_width = int(height * side) // 2, int(width * side) // 2
    top, bottom = max(0, row - half_height), min(height, row + half_height)
    left, right = max(0, column - half_width), min(width, column + half_width)
    mixed = views.clone()
    mixed[:, :, top:bottom, left:right] = views[partner][:, :, top:bottom, left:right]
    # The box is cut at the border: what counts is the area that it really has.
    return Mixed(mixed, partner, 1 - (bottom - top) * (right - left) / (height * width))
