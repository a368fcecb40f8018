"""Attention within windows whose biases differ: exact, a group of alike ones at a time.

What makes window attention slow is not its products but the bias: for every window, head and pair of tokens a
number that is written to memory and read back, 236 MB for one block of the first stage. Windows that lie alike
share their bias, so here it is made for one group of windows at a time and used at once.
"""

from __future__ import annotations

from itertools import groupby, product
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from zoomvqa.models.vqa.windows import Group, WindowPlan

# Heads that are attended to at a time, so that their bias and weights stay in the cache.
_HEADS = 12


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

    def of(self, group: Group, heads: slice = slice(None)) -> Tensor:
        """Return the (heads, N, N) bias of a group."""
        start = _corner(self.start[heads], group)
        if self.rise is None:
            return start
        return torch.addcmul(start, group.gate.to(start.dtype), _corner(self.rise[heads], group))


def _corner(values: Tensor, group: Group) -> Tensor:
    """Return (heads, N, N) for parts as large as the group's; only distances count, so that any corner will do."""
    depth, height, width = (slice(s) for s in group.size)
    return values[:, depth, height, width, depth, height, width].reshape(len(values), group.tokens, group.tokens)


def attend(qkv: Tensor, relative: Tensor, fragment: Tensor | None, plan: WindowPlan) -> Tensor:
    """Attend within windows.

    Args:
        qkv: (batch, places, 3, heads, channels a head), in the plan's order.
        relative: (heads, d, h, w, d, h, w) float32, of the first bias table, for the plan's window (d, h, w).
        fragment: the same of the second table, or None without one.
        plan: the windows.

    Returns:
        (batch, places, heads · channels a head) of the dtype of `qkv`.
    """
    if qkv.device.type != "cpu":
        return _in_large_calls(qkv, Bias.between(relative, fragment).to(qkv.dtype), plan)
    return _InGroups.apply(qkv, relative, fragment, plan)


def _in_large_calls(qkv: Tensor, biases: Bias, plan: WindowPlan) -> Tensor:
    """Attend with the biases of all groups of one size in memory: a GPU wants few large calls."""
    mixed = []
    for _, alike in groupby(plan.groups, key=lambda group: group.size):
        groups = list(alike)
        places = slice(groups[0].places.start, groups[-1].places.stop)
        bias = torch.cat([biases.of(group).expand(group.count, -1, -1, -1) for group in groups])
        # One clip at a time: the bias then fits the batch without being copied for every clip.
        clips = [
            functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).transpose(1, 2).flatten(2)
            for query, key, value in zip(*_parts(qkv[:, places], groups[0].tokens), strict=True)
        ]
        mixed.append(torch.stack(clips).flatten(1, 2))
    return torch.cat(mixed, dim=1)


def attend_group(qkv: Tensor, biases: Bias, group: Group) -> Tensor:
    """Attend within some parts of one group; no gradients.

    Args:
        qkv: (batch, parts · N, 3, heads, channels a head) on a CPU.
        biases: of the block, in the dtype of `qkv`.
        group: that the parts belong to.

    Returns:
        (batch, parts · N, heads · channels a head).
    """
    batch, places, _, heads, width = qkv.shape
    query, key, value = _parts(qkv, group.tokens)
    mixed = qkv.new_empty(batch, places, heads * width)
    out = mixed.view(batch, -1, group.tokens, heads, width).transpose(2, 3)
    with torch.autocast("cpu", enabled=False):
        for some in _few(heads):
            bias = biases.of(group, some)
            for clip in range(batch):
                q, k, v = (part[clip][:, some] for part in (query, key, value))
                if qkv.dtype == torch.float32:
                    out[clip, :, some] = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias[None])
                    continue
                scores = torch.empty_like(bias)
                for part in range(len(q)):  # twice as fast in bfloat16 as the call above
                    out[clip, part, some] = torch.bmm(_weights(q[part], k[part], bias, scores), v[part])
    return mixed


class _InGroups(torch.autograd.Function):
    """Attention group by group; the backward pass computes the weights again instead of keeping them."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, relative: Tensor, fragment: Tensor | None, plan: WindowPlan) -> Tensor:
        biases = Bias.between(relative, fragment).to(qkv.dtype)
        mixed = qkv.new_empty(*qkv.shape[:2], qkv.shape[3] * qkv.shape[4])
        for group in plan.groups:
            mixed[:, group.places] = attend_group(qkv[:, group.places], biases, group)
        ctx.save_for_backward(qkv, relative, fragment, mixed)
        ctx.plan = plan
        return mixed

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        qkv, relative, fragment, mixed = ctx.saved_tensors
        with torch.autocast("cpu", enabled=False):
            return (*_backward(grads[0], qkv, relative, fragment, mixed, ctx.plan), None)


def _backward(
    grad: Tensor, qkv: Tensor, relative: Tensor, fragment: Tensor | None, mixed: Tensor, plan: WindowPlan
) -> tuple[Tensor, Tensor, Tensor | None]:
    heads = qkv.shape[3]
    grad_qkv = torch.empty_like(qkv)
    biases = Bias.between(relative, fragment).to(qkv.dtype)
    grad_relative = torch.zeros_like(relative)
    grad_fragment = None if fragment is None else torch.zeros_like(fragment)
    grad = grad.unflatten(-1, (heads, -1))
    mixed = mixed.unflatten(-1, (heads, -1))
    for group in plan.groups:
        given, wanted = (_parts(part[:, group.places], group.tokens) for part in (qkv, grad_qkv))
        above, out = (p[:, group.places].unflatten(1, (-1, group.tokens)).transpose(2, 3) for p in (grad, mixed))
        for some in _few(heads):
            bias = biases.of(group, some)
            total = torch.zeros_like(bias, dtype=torch.float32)
            for at in product(range(len(qkv)), range(group.count), [some]):
                _part_backward([p[at] for p in given], [p[at] for p in wanted], above[at], out[at], bias, total)
            if grad_fragment is None:
                _corner_add(grad_relative[some], total, group)
            else:
                _corner_add(grad_relative[some], total * group.gate, group)
                _corner_add(grad_fragment[some], total.sub_(total * group.gate), group)
    return grad_qkv, grad_relative, grad_fragment


def _corner_add(values: Tensor, more: Tensor, group: Group) -> None:
    depth, height, width = (slice(s) for s in group.size)
    values[:, depth, height, width, depth, height, width] += more.view(len(values), *group.size, *group.size)


def _part_backward(
    given: list[Tensor], wanted: list[Tensor], above: Tensor, out: Tensor, bias: Tensor, total: Tensor
) -> None:
    """Write the gradients of one part's q, k and v into `wanted` and add that of its bias to `total`.

    With P the weights and G the gradient above: dV = Pᵀ G; dP = G Vᵀ; dS = P (dP − rowsum(G · out)).
    """
    query, key, value = given
    weights = _weights(query, key, bias, torch.empty_like(bias))
    wanted[2].copy_(torch.bmm(weights.transpose(1, 2), above))
    slope = torch.bmm(above, value.transpose(1, 2))
    slope.sub_((above * out).sum(dim=-1, keepdim=True)).mul_(weights)
    total.add_(slope)
    slope.mul_(query.shape[-1] ** -0.5)
    wanted[0].copy_(torch.bmm(slope, key))
    wanted[1].copy_(torch.bmm(slope.transpose(1, 2), query))


def _weights(query: Tensor, key: Tensor, bias: Tensor, out: Tensor) -> Tensor:
    """Return the (heads, N, N) attention weights of one part, in the memory of `out`."""
    torch.baddbmm(bias, query, key.transpose(1, 2), alpha=query.shape[-1] ** -0.5, out=out)
    return torch.softmax(out, dim=-1, out=out)


def _parts(qkv: Tensor, tokens: int) -> tuple[Tensor, Tensor, Tensor]:
    """View q, k and v as (batch, parts, heads, N, width) each."""
    split = qkv.unflatten(1, (-1, tokens)).permute(3, 0, 1, 4, 2, 5)
    return split[0], split[1], split[2]


def _few(heads: int) -> list[slice]:
    return [slice(start, min(start + _HEADS, heads)) for start in range(0, heads, _HEADS)]
