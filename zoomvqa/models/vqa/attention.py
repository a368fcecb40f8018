"""Window attention with the gated relative position bias (GRPB) of FAST-VQA (arXiv 2207.02595)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.models.vqa.windows import Size, WindowPlan, relative_index


class WindowAttention(nn.Module):
    """Multi-head attention within windows.

    Two tokens of a window that lie g fragments apart get the bias g · relative + (1 − g) · fragment. g can
    exceed 1: that is what the public weights were trained with. Without the second table it is `relative`.

    Args:
        channels: of a token.
        heads: number of heads; divides `channels`.
        window: the window that the bias tables are made for; smaller ones use a part of them.
        gated: whether there is a second table.
        plain: compute it as written, with an explicit softmax: slow, for comparison.
    """

    def __init__(self, channels: int, heads: int, window: Size, *, gated: bool, plain: bool = False) -> None:
        super().__init__()
        self.heads, self.window, self.plain = heads, window, plain
        entries = (2 * window[0] - 1) * (2 * window[1] - 1) * (2 * window[2] - 1)
        self.relative_position_bias_table = nn.Parameter(torch.zeros(entries, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        if gated:
            self.fragment_position_bias_table = nn.Parameter(torch.zeros(entries, heads))
        self.gated = gated
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def bias(self, plan: WindowPlan, dtype: torch.dtype) -> Tensor:
        """Return what is added to the attention: (windows or 1, heads, N, N) of `dtype`."""
        # Heads first before the look-up: attention is a third faster with a bias that is contiguous in memory.
        rows = relative_index(self.window, plan.size).to(plan.gather.device)
        relative = self.relative_position_bias_table.t()[:, rows][None].contiguous()
        if self.gated:
            fragment = self.fragment_position_bias_table.t()[:, rows][None].contiguous()
            gate = plan.gate[:, None].to(dtype)
            bias = torch.addcmul(fragment.to(dtype), gate, (relative - fragment).to(dtype))
        else:
            bias = relative.to(dtype)
        return bias if plan.region is None else bias + plan.region[:, None].to(dtype)

    def forward(self, tokens: Tensor, plan: WindowPlan) -> Tensor:
        """Attend within windows: (batch, W · N, channels) in the plan's order → the same shape."""
        batch, places, channels = tokens.shape
        size = plan.size[0] * plan.size[1] * plan.size[2]
        qkv = self.qkv(tokens).view(batch, places // size, size, 3, self.heads, channels // self.heads)
        query, key, value = qkv.permute(3, 0, 1, 4, 2, 5)
        bias = self.bias(plan, query.dtype)
        if self.plain:
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1) + bias
            mixed = scores.softmax(dim=-1) @ value
        else:
            # One clip at a time: the bias then fits the batch without being copied for every clip.
            mixed = torch.stack(
                [
                    functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
                    for q, k, v in zip(query, key, value, strict=True)
                ]
            )
        return self.proj(mixed.transpose(2, 3).reshape(batch, places, channels))
