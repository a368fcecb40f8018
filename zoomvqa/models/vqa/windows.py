"""The geometry of shifted windows over (time, row, column) tokens: computed once for a shape, then looked up.

The cyclic shift brings tokens from opposite ends of the map into one window. They must not attend to each other,
for which Swin adds −100 to their attention. Here such a window is cut into its parts, each of which attends by
itself, with less work and no mask. The result is the same as long as a token's scores within its part and beyond
it differ by less than about 80: e⁻²⁰ is nothing beside 1. Trained biases are of the order of 1; tables of standard
deviation 2 times gates of up to 12 are where the two begin to differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Size = tuple[int, int, int]


class Group(NamedTuple):
    """Parts of windows that are of one size and lie alike to the fragments, and so share a bias.

    Attributes:
        size: (d, h, w) of a part, with N = d · h · w tokens.
        start: place of the first part's first token.
        parts: how many.
        gate: (N, N) uint8, how many fragments apart two tokens are, |Δrow| + |Δcolumn|.
    """

    size: Size
    start: int
    parts: int
    gate: Tensor

    @property
    def tokens(self) -> int:
        """Tokens of a part, N."""
        return len(self.gate)

    @property
    def places(self) -> slice:
        """Where the tokens of all its parts stand."""
        return slice(self.start, self.start + self.parts * self.tokens)


class WindowPlan(NamedTuple):
    """How the tokens of a feature map are put into an order in which those that attend to each other are together.

    Attributes:
        size: of a window, (d, h, w).
        gather: (places,) int64, the token that stands at each place; the number of tokens stands for padding.
        scatter: (tokens,) int64, the place of each token.
        groups: what stands at the places, in order.
        padded: whether some places hold padding.
    """

    size: Size
    gather: Tensor
    scatter: Tensor
    groups: list[Group]
    padded: bool


class Piece(NamedTuple):
    """Neighbouring parts of a plan, of one group or several.

    Attributes:
        places: where their tokens stand in the plan.
        parts: of each group, where its tokens stand in the piece.
    """

    places: slice
    parts: list[tuple[Group, slice]]


def pieces(plan: WindowPlan, tokens: int) -> Iterator[Piece]:
    """Cut a plan into pieces of whole parts with so many tokens at most, or of one larger part."""
    start, count = 0, 0
    parts: list[tuple[Group, slice]] = []
    for group in plan.groups:
        left = group.parts
        while left:
            fitting = min(left, (tokens - count) // group.tokens if parts else max(1, tokens // group.tokens))
            if fitting > 0:
                parts.append((group, slice(count, count + fitting * group.tokens)))
                count, left = count + fitting * group.tokens, left - fitting
            else:
                yield Piece(slice(start, start + count), parts)
                start, count, parts = start + count, 0, []
    yield Piece(slice(start, start + count), parts)


def scaled_window(window: Size, given: Size, base: Size) -> Size:
    """Return the window for an input of size `given`, in proportion to the `base` input that it was made for.

    For larger inputs it stays as it is: the bias tables have no entries for more. FAST-VQA's public code does this
    since its version 3.1.0, for every network, with a base of 32 frames and 56 patches a side; weights that are
    older need the base that they were trained with.

    Raises:
        ValueError: the input is too small to leave a window.
    """
    scaled = tuple(min(w, w * g // b) for w, g, b in zip(window, given, base, strict=True))
    if min(scaled) < 1:
        raise ValueError(f"an input of {given} (frames, rows, columns) is too small for windows of {window}")
    return scaled  # type: ignore[return-value]


def window_plan(shape: Size, window: Size, shift: Size, device: torch.device) -> WindowPlan:
    """Return the plan for a feature map of `shape` (time, rows, columns).

    An axis no longer than its window is one window and is not shifted; the others are padded at their end to a
    multiple of the window.

    Args:
        shape: of the feature map.
        window: wanted size.
        shift: wanted cyclic shift. It does not shrink with the window for smaller inputs (as in the release).
        device: where the plan is used.
    """
    size = tuple(min(w, s) for w, s in zip(window, shape, strict=True))
    moved = tuple(m if s > w else 0 for m, w, s in zip(shift, window, shape, strict=True))
    return _plan(shape, size, moved, device)


# Kept tensors are made outside of inference mode: training could not use them otherwise.
@lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def _plan(shape: Size, size: Size, shift: Size, device: torch.device) -> WindowPlan:
    full: Size = tuple(-(-s // w) * w for s, w in zip(shape, size, strict=True))  # type: ignore[assignment]
    tokens = shape[0] * shape[1] * shape[2]
    number = torch.full(full, tokens, dtype=torch.int64)
    number[: shape[0], : shape[1], : shape[2]] = torch.arange(tokens).view(shape)
    fragment = _fragments(size, full)
    maps = torch.roll(torch.stack([number, *fragment]), shifts=[-s for s in shift], dims=(1, 2, 3))
    alike: dict[tuple, list[Tensor]] = {}
    for box in product(*(_cuts(f, w, s) for f, w, s in zip(full, size, shift, strict=True))):
        part = maps[:, slice(*box[0]), slice(*box[1]), slice(*box[2])]
        # What counts is where fragments change within the part, not which ones they are.
        rows = part[1, 0, :, 0] - part[1, 0, 0, 0]
        columns = part[2, 0, 0, :] - part[2, 0, 0, 0]
        key = (tuple(part.shape[1:]), tuple(rows.tolist()), tuple(columns.tolist()))
        alike.setdefault(key, []).append(part[0].flatten())
    alike = dict(sorted(alike.items(), key=lambda item: item[0][0]))  # those of one size together
    groups, start = [], 0
    for (part_size, rows, columns), parts in alike.items():
        groups.append(Group(part_size, start, len(parts), _gate(part_size, rows, columns).to(device)))
        start += sum(len(part) for part in parts)
    gather = torch.cat([part for parts in alike.values() for part in parts])
    scatter = torch.empty(tokens + 1, dtype=torch.int64)
    scatter[gather] = torch.arange(len(gather))
    return WindowPlan(size, gather.to(device), scatter[:tokens].to(device), groups, full != shape)


def _cuts(full: int, window: int, shift: int) -> list[tuple[int, int]]:
    """Return (start, stop) of the parts along an axis: windows, cut where the shift joined the two ends.

    A shift by more than there is (which a small input leaves) cuts nothing, as in the release.
    """
    return list(pairwise(sorted({*range(0, full, window), max(full - shift, 0), full})))


def _fragments(size: Size, full: Size) -> Tensor:
    """Return (2, time, rows, columns) int64, the row and column of each token's fragment."""
    rows, columns = size[1], size[2]  # as many fragments as a window has tokens, resized to the map by nearest
    grid = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")).float()
    spread = functional.interpolate(grid[None], size=full[1:], mode="nearest")[0].long()
    return spread[:, None].expand(-1, full[0], -1, -1)


def _gate(size: Size, rows: tuple[int, ...], columns: tuple[int, ...]) -> Tensor:
    """Return (N, N) uint8, how many fragments apart the tokens of a part are."""
    shape = (1, len(rows), len(columns))
    row = torch.tensor(rows).view(1, -1, 1).expand(shape).expand(size).flatten()
    column = torch.tensor(columns).view(1, 1, -1).expand(shape).expand(size).flatten()
    return ((row[None] - row[:, None]).abs() + (column[None] - column[:, None]).abs()).to(torch.uint8)


@lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def relative_index(table: Size, size: Size, device: torch.device) -> Tensor:
    """Return (N · N,) int64 rows of a bias table made for a window of `table`, for a smaller one of `size`."""
    axes = torch.meshgrid(*(torch.arange(s) for s in size), indexing="ij")
    place = torch.stack([a.flatten() for a in axes])
    delta = place[:, :, None] - place[:, None, :] + torch.tensor(table)[:, None, None] - 1
    rows, columns = 2 * table[1] - 1, 2 * table[2] - 1
    return ((delta[0] * rows + delta[1]) * columns + delta[2]).flatten().to(device)
