"""Window attention with the gated relative position bias (GRPB) of FAST-VQA (arXiv 2207.02595)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoomvqa.models.vqa.attend import attend, attend_parts
from zoomvqa.models.vqa.bias import Bias
from zoomvqa.models.vqa.compiled import build_attention, fits
from zoomvqa.models.vqa.windows import Piece, Size, WindowPlan, relative_index


class WindowAttention(nn.Module):
    """Multi-head attention within windows.

    Two tokens of a window that lie g fragments apart get the bias g · relative + (1 − g) · fragment. g can
    exceed 1: that is what the public weights were trained with. Without the second table it is `relative`.

    Args:
        channels: of a token.
        heads: number of heads; divides `channels`.
        window: the window that the bias tables are made for; smaller ones use a part of them.
        gated: whether there is a second table.
    """

    def __init__(self, channels: int, heads: int, window: Size, *, gated: bool) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        entries = (2 * window[0] - 1) * (2 * window[1] - 1) * (2 * window[2] - 1)
        self.relative_position_bias_table = nn.Parameter(torch.zeros(entries, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        if gated:
            self.fragment_position_bias_table = nn.Parameter(torch.zeros(entries, heads))
        self.gated = gated
        self.compiled = False  # set by compile_attention
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self._kept: tuple[tuple[Size, torch.dtype], list[Tensor], Bias] | None = None

    def forward(self, tokens: Tensor, plan: WindowPlan) -> Tensor:
        """Attend within windows: (batch, places, channels) in the plan's order → the same shape."""
        relative = self._spread(self.relative_position_bias_table, plan)
        fragment = self._spread(self.fragment_position_bias_table, plan) if self.gated else None
        return self.proj(attend(self._qkv(tokens), relative, fragment, plan, compiled=self.compiled))

    def biases(self, plan: WindowPlan, dtype: torch.dtype) -> Bias:
        """Return what the biases of the plan's groups are made of, in `dtype`, without gradients.

        In any precision but float32 it is kept for as long as the tables hold the same numbers. In float32 that
        would gain less, and take 140 MB for the whole network.
        """
        tables = [self.relative_position_bias_table.detach()]
        if self.gated:
            tables.append(self.fragment_position_bias_table.detach())
        kept = self._kept
        if kept and kept[0] == (plan.size, dtype) and all(map(_same, kept[1], tables)):
            return kept[2]
        spread = [self._spread(table, plan) for table in tables]
        bias = Bias.between(spread[0], spread[1] if self.gated else None).to(dtype)
        if dtype != torch.float32:
            self._kept = (plan.size, dtype), [table.clone() for table in tables], bias
        return bias

    def within(self, piece: Piece, tokens: Tensor, biases: Bias) -> Tensor:
        """Attend within the parts of a piece, no gradients: (batch, its places, channels) → the same shape."""
        return self.proj(attend_parts(self._qkv(tokens), biases, piece.parts, compiled=self.compiled))

    def _qkv(self, tokens: Tensor) -> Tensor:
        return self.qkv(tokens).unflatten(-1, (3, self.heads, -1))

    def _spread(self, table: Tensor, plan: WindowPlan) -> Tensor:
        """Return the bias of every pair of a window's tokens, float32 at least: (heads, d, h, w, d, h, w)."""
        rows = relative_index(self.window, plan.size, table.device)
        wide = table.to(torch.promote_types(table.dtype, torch.float32))
        return wide.t().contiguous().index_select(1, rows).unflatten(1, plan.size + plan.size)


def compile_attention(net: nn.Module) -> bool:
    """Have the window attention of a network on a CPU done by what is written in C++, with and without gradients.

    Args:
        net: changed where its heads have a width that fits.

    Returns:
        Whether anything was changed.

    Raises:
        ToolError: there is no C++ compiler or no ninja.
    """
    fitting = [
        layer
        for layer in net.modules()
        if isinstance(layer, WindowAttention) and fits(layer.qkv.out_features // (3 * layer.heads))
    ]
    for layer in fitting:
        build_attention()
        layer.compiled = True
    return bool(fitting)


def do_not_compile_attention(net: nn.Module) -> None:
    """Have the window attention of a network done by torch again."""
    for layer in net.modules():
        if isinstance(layer, WindowAttention):
            layer.compiled = False


def _same(one: Tensor, other: Tensor) -> bool:
    return one.device == other.device and one.dtype == other.dtype and torch.equal(one, other)
