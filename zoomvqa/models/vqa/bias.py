"""The biases of all groups of windows, made of two tables for one window."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from zoomvqa.models.vqa.windows import Group


class Bias(NamedTuple):
    """What the biases of all groups are made of, (heads, d, h, w, d, h, w) each for a window of (d, h, w).

    Attributes:
        start: of two tokens of one fragment.
        rise: what is added for each fragment that they lie apart; None where there is but one table.
    """

    start: Tensor
    rise: Tensor | None

    @classmethod
    def between(cls, relative: Tensor, fragment: Tensor | None) -> Bias:
        """Return the bias that is g · relative + (1 − g) · fragment, g fragments apart."""
        return cls(relative, None) if fragment is None else cls(fragment, relative - fragment)

    def to(self, dtype: torch.dtype) -> Bias:
        """Return it in another dtype."""
        return Bias(self.start.to(dtype), None if self.rise is None else self.rise.to(dtype))

    def contiguous(self) -> Bias:
        """Return it with its numbers in order in memory."""
        return Bias(self.start.contiguous(), None if self.rise is None else self.rise.contiguous())

    def turned(self) -> Bias:
        """Return that of the second token towards the first, in order in memory."""
        order = (0, 4, 5, 6, 1, 2, 3)
        return Bias(
            self.start.permute(order), None if self.rise is None else self.rise.permute(order)
        ).contiguous()

    def of(self, group: Group, heads: slice = slice(None)) -> Tensor:
        """Return the (heads, N, N) bias of a group."""
        start, rise = self.corner(group, heads)
        return start if rise is None else torch.addcmul(start, group.gate.to(start.dtype), rise)

    def corner(self, group: Group, heads: slice = slice(None)) -> tuple[Tensor, Tensor | None]:
        """Return the parts of both that a group needs, (heads, N, N) each."""
        return _corner(self.start[heads], group), None if self.rise is None else _corner(self.rise[heads], group)


def _corner(values: Tensor, group: Group) -> Tensor:
    """Return (heads, N, N) for parts as large as the group's; only distances count, so that any corner will do."""
    depth, height, width = (slice(s) for s in group.size)
    return values[:, depth, height, width, depth, height, width].reshape(len(values), group.tokens, group.tokens)
