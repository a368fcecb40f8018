"""Ranks with a gradient, and a Spearman loss made of them, without a compiled extension."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_rank(values: Tensor, strength: float = 1.0) -> Tensor:
    """Return differentiable ranks of (n,) values, 1 for the smallest, close to exact for values far apart.

    The projection of `values / strength` onto the permutahedron of (n, …, 1), by isotonic regression (Blondel
    et al., Fast Differentiable Sorting and Ranking, arXiv 2002.08871, quadratic regularisation).

    Args:
        values: (n,) floating point.
        strength: of the regularisation, above 0; the smaller, the harder the ranks.
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415  scoring knows this loss by name only

    size = len(values)
    ordered, order = torch.sort(values / strength, descending=True)
    steps = ordered - torch.arange(size, 0, -1, dtype=ordered.dtype, device=ordered.device)
    fit = isotonic_regression(steps.detach().double().cpu().numpy(), increasing=False)
    # Within a block the fit is the block's mean; written with torch, so that gradients flow through it.
    bounds = torch.from_numpy(fit.blocks.astype("int64")).to(values.device)
    lengths = bounds.diff()
    block = torch.repeat_interleave(torch.arange(len(lengths), device=values.device), lengths)
    sums = torch.zeros(len(lengths), dtype=steps.dtype, device=values.device).index_add(0, block, steps)
    projected = ordered - (sums / lengths)[block]
    return torch.empty_like(projected).index_copy(0, order, projected)


def soft_srcc_loss(prediction: Tensor, mos: Tensor, strength: float = 1.0) -> Tensor:
    """Return 1 − the correlation of the soft ranks of (batch,) predictions and MOS: 0 to 2."""
    if len(prediction) < 2:
        return prediction.sum() * 0.0
    x, y = soft_rank(prediction.float(), strength), soft_rank(mos.float(), strength)
    x, y = x - x.mean(), y - y.mean()
    return 1 - torch.dot(x, y) / (torch.linalg.vector_norm(x) * torch.linalg.vector_norm(y)).clamp_min(1e-8)
