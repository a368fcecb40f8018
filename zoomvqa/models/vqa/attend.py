"""Attention within windows whose biases differ: exact, a group of alike ones at a time.

What makes window attention slow is not its products but the bias: for every window, head and pair of tokens a
number that is written to memory and read back, 236 MB for one block of the first stage. Windows that lie alike
share their bias, so here it is made for one group of windows at a time and used at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from zoomvqa.models.vqa.bias import Bias
from zoomvqa.models.vqa.compiled import window_attention, window_attention_gradient
from zoomvqa.models.vqa.windows import Group, WindowPlan

# Heads that are attended to at a time, so that their bias and weights stay in the cache.
_HEADS = 12
# Numbers in the attention weights of a piece.
_NUMBERS = 2**20


def attend(
    qkv: Tensor, relative: Tensor, fragment: Tensor | None, plan: WindowPlan, *, compiled: bool = False
) -> Tensor:
    """Attend within windows.

    Args:
        qkv: (batch, places, 3, heads, channels a head), in the plan's order.
        relative: (heads, d, h, w, d, h, w), of the first bias table, for the plan's window (d, h, w); float32, or
            float64 where `qkv` is.
        fragment: the same of the second table, or None without one.
        plan: the windows.
        compiled: use `zoomvqa.models.vqa.compiled`, which has been built and fits; on a CPU.

    Returns:
        (batch, places, heads · channels a head) of the dtype of `qkv`.
    """
    if qkv.device.type != "cpu":
        return _in_large_calls(qkv, Bias.between(relative, fragment).to(qkv.dtype), plan)
    return _InGroups.apply(qkv, relative, fragment, plan, compiled)


def _in_large_calls(qkv: Tensor, biases: Bias, plan: WindowPlan) -> Tensor:
    """Attend with the biases of all groups of one size in memory: a GPU wants few large calls."""
    mixed = []
    for _, alike in groupby(plan.groups, key=lambda group: group.size):
        groups = list(alike)
        places = slice(groups[0].places.start, groups[-1].places.stop)
        bias = torch.cat([biases.of(group).expand(group.parts, -1, -1, -1) for group in groups])
        # One clip at a time: the bias then fits the batch without being copied for every clip.
        clips = zip(*(part.split(len(bias)) for part in _parts(qkv[:, places], groups[0].tokens)), strict=True)
        out = [functional.scaled_dot_product_attention(q, k, v, attn_mask=bias) for q, k, v in clips]
        mixed.append(torch.cat(out).transpose(1, 2).reshape(len(qkv), -1, qkv.shape[3] * qkv.shape[4]))
    return torch.cat(mixed, dim=1)


def attend_parts(
    qkv: Tensor, biases: Bias, parts: Sequence[tuple[Group, slice]], *, compiled: bool = False
) -> Tensor:
    """Attend within parts of some groups; no gradients.

    Args:
        qkv: (batch, places, 3, heads, channels a head) on a CPU.
        biases: of the block, of the same dtype.
        parts: groups, and at which places the tokens of some of their parts stand; together at all of them.
        compiled: use `zoomvqa.models.vqa.compiled`, which has been built and fits.

    Returns:
        (batch, places, heads · channels a head).
    """
    if compiled:
        return window_attention(qkv, biases, parts)
    return torch.cat([_attend_group(qkv[:, places], biases, group) for group, places in parts], dim=1)


def _attend_group(qkv: Tensor, biases: Bias, group: Group) -> Tensor:
    query, key, value = _parts(qkv, group.tokens)
    mixed = qkv.new_empty(len(query), group.tokens, *qkv.shape[3:]).transpose(1, 2)
    with torch.autocast("cpu", enabled=False):
        for some in _few(qkv.shape[3]):
            q, k, v = query[:, some], key[:, some], value[:, some]
            bias = biases.of(group, some)
            if qkv.dtype == torch.float32:
                mixed[:, some] = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias[None])
                continue
            for at in _pieces(len(q), bias):  # twice as fast in bfloat16 as the call above
                mixed[at, some] = _by_part(torch.bmm(_weights(q[at], k[at], bias), v[at].flatten(0, 1)), bias)
    return mixed.transpose(1, 2).reshape(*qkv.shape[:2], -1)


class _InGroups(torch.autograd.Function):
    """Attention group by group; the backward pass computes the weights again instead of keeping them."""

    @staticmethod
    def forward(
        ctx: Any, qkv: Tensor, relative: Tensor, fragment: Tensor | None, plan: WindowPlan, compiled: bool
    ) -> Tensor:
        biases = Bias.between(relative, fragment).to(qkv.dtype)
        mixed = attend_parts(qkv, biases, [(group, group.places) for group in plan.groups], compiled=compiled)
        ctx.save_for_backward(qkv, relative, fragment, mixed)
        ctx.plan, ctx.find = plan, _gradient_compiled if compiled else _gradient
        return mixed

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        qkv, relative, fragment, mixed = ctx.saved_tensors
        grad_qkv, grad_relative = torch.empty_like(qkv), torch.zeros_like(relative)
        grad_fragment = None if fragment is None else torch.zeros_like(fragment)
        biases = Bias.between(relative, fragment).to(qkv.dtype)
        with torch.autocast("cpu", enabled=False):
            for group, total in ctx.find(grad_qkv, grads[0].to(qkv.dtype), mixed, qkv, biases, ctx.plan):
                if grad_fragment is None:
                    _corner_add(grad_relative, total, group)
                else:
                    gated = total * group.gate
                    _corner_add(grad_relative, gated, group)
                    _corner_add(grad_fragment, total.sub_(gated), group)
        return grad_qkv, grad_relative, grad_fragment, None, None


def _gradient_compiled(
    grad_qkv: Tensor, above: Tensor, mixed: Tensor, qkv: Tensor, biases: Bias, plan: WindowPlan
) -> Iterator[tuple[Group, Tensor]]:
    """Fill `grad_qkv`, and give the gradient of every group's bias, (heads, N, N) float32."""
    turned = biases.turned()
    for group in plan.groups:
        given = (above, mixed, qkv)
        a, m, q = (each[:, group.places].unflatten(1, (-1, group.tokens)).flatten(0, 1) for each in given)
        found, total = window_attention_gradient(a, m, q, biases, turned, group)
        grad_qkv[:, group.places] = found.view(len(qkv), -1, *qkv.shape[2:])
        yield group, total


def _gradient(
    grad_qkv: Tensor, above: Tensor, mixed: Tensor, qkv: Tensor, biases: Bias, plan: WindowPlan
) -> Iterator[tuple[Group, Tensor]]:
    """Do the same without what is written in C++."""
    heads = qkv.shape[3]
    # Beside q, k and v stand the gradient above and the result, which have their shape.
    beside = torch.stack([above, mixed], dim=2).unflatten(-1, (heads, -1))
    for group in plan.groups:
        given = (*_parts(qkv[:, group.places], group.tokens), *_parts(beside[:, group.places], group.tokens))
        wanted = [torch.empty_like(part) for part in given[:3]]
        total = torch.zeros(heads, group.tokens, group.tokens, dtype=torch.promote_types(qkv.dtype, torch.float32))
        for some in _few(heads):
            bias = biases.of(group, some)
            for at in _pieces(len(given[0]), bias):
                found = _piece_backward([part[at, some] for part in given], bias, total[some])
                for part, values in zip(wanted, found, strict=True):
                    part[at, some] = values
        joined = torch.stack([part.transpose(1, 2) for part in wanted], dim=2)
        grad_qkv[:, group.places] = joined.reshape(len(qkv), -1, *qkv.shape[2:])
        yield group, total


def _corner_add(values: Tensor, more: Tensor, group: Group) -> None:
    depth, height, width = (slice(s) for s in group.size)
    values[:, depth, height, width, depth, height, width] += more.view(len(values), *group.size, *group.size)


def _piece_backward(given: list[Tensor], bias: Tensor, total: Tensor) -> list[Tensor]:
    """Return the gradients of q, k and v of some parts, and add that of their bias to `total`.

    With P the weights and G the gradient above: dV = Pᵀ G; dP = G Vᵀ; dS = P (dP − rowsum(G · result)).
    """
    weights = _weights(given[0], given[1], bias)
    query, key, value, above, result = (part.flatten(0, 1) for part in given)
    grad_value = torch.bmm(weights.transpose(1, 2), above)
    slope = torch.bmm(above, value.transpose(1, 2))
    slope.sub_((above * result).sum(dim=-1, keepdim=True)).mul_(weights)
    total.add_(_by_part(slope, bias).sum(dim=0))
    slope.mul_(query.shape[-1] ** -0.5)
    found = (torch.bmm(slope, key), torch.bmm(slope.transpose(1, 2), query), grad_value)
    return [_by_part(values, bias) for values in found]


def _weights(query: Tensor, key: Tensor, bias: Tensor) -> Tensor:
    """Return the (parts · heads, N, N) attention weights of some parts, (parts, heads, N, width) each."""
    scale = query.shape[-1] ** -0.5
    across = key.flatten(0, 1).transpose(1, 2)
    if len(query) == 1:
        scores = torch.baddbmm(bias, query[0], across, alpha=scale)
    else:
        scores = torch.bmm(query.flatten(0, 1), across).mul_(scale)
        _by_part(scores, bias).add_(bias)
    return torch.softmax(scores, dim=-1, out=scores)


def _by_part(values: Tensor, bias: Tensor) -> Tensor:
    """View (parts · heads, …) as (parts, heads, …)."""
    return values.unflatten(0, (-1, len(bias)))


def _pieces(parts: int, bias: Tensor) -> list[slice]:
    """Return few parts at a time, whose weights stay in the cache."""
    some = max(1, _NUMBERS // bias.numel())
    return [slice(start, min(start + some, parts)) for start in range(0, parts, some)]


def _parts(qkv: Tensor, tokens: int) -> tuple[Tensor, ...]:
    """Return what is stacked in (batch, places, any, heads, width) as (batch · parts, heads, N, width) each."""
    split = qkv.unflatten(1, (-1, tokens)).permute(3, 0, 1, 4, 2, 5)
    return tuple(part.flatten(0, 1) for part in split)


def _few(heads: int) -> list[slice]:
    return [slice(start, min(start + _HEADS, heads)) for start in range(0, heads, _HEADS)]
