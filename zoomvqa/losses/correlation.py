"""Losses on the agreement of a batch with its labels: they have no scale of their own.

All take (batch,) predictions and (batch,) MOS and return a scalar. A batch of one has no agreement to speak
of: the loss is then 0, with a zero gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

_EPS = 1e-8


def plcc_loss(prediction: Tensor, mos: Tensor) -> Tensor:
    """Return the PLCC loss of FAST-VQA (arXiv 2207.02595), 0 for perfect linear agreement.

    With both z-scored (population deviation) and ρ their mean product, it is the mean of two terms:
    mse(prediction, mos) / 4 and mse(ρ · prediction, mos) / 4.
    """
    _check(prediction, mos)
    if len(prediction) < 2:
        return prediction.sum() * 0.0
    x, y = _z_score(prediction), _z_score(mos)
    correlation = (x * y).mean()
    direct = ((x - y) ** 2).mean() / 4
    scaled = ((correlation * x - y) ** 2).mean() / 4
    return (direct + scaled) / 2


def rank_loss(prediction: Tensor, mos: Tensor) -> Tensor:
    """Return the pairwise rank loss of FAST-VQA, 0 when the batch is in the right order.

    Each pair in the wrong order costs its difference of predictions; the sum over ordered pairs is divided by
    n (n − 1) and by 1 + the largest cost, which takes part in the gradient.
    """
    _check(prediction, mos)
    size = len(prediction)
    if size < 2:
        return prediction.sum() * 0.0
    gap = prediction[:, None] - prediction[None, :]
    cost = torch.relu(gap * torch.sign(mos[None, :] - mos[:, None]))
    return cost.sum() / (size * (size - 1)) / (1 + cost.max())


def norm_in_norm_loss(prediction: Tensor, mos: Tensor, p: float = 2.0, q: float = 2.0) -> Tensor:
    """Return the norm-in-norm loss (arXiv 2008.03889): the p-norm of the difference of q-normalised scores.

    Both are centred and divided by their q-norm; the p-norm of their difference, over its largest possible
    value 2^max(1, 1/q) · n^max(0, 1/p − 1/q), is raised to the power p.
    """
    _check(prediction, mos)
    size = len(prediction)
    if size < 2:
        return prediction.sum() * 0.0
    x, y = _unit(prediction, q), _unit(mos, q)
    largest = 2 ** max(1.0, 1.0 / q) * size ** max(0.0, 1.0 / p - 1.0 / q)
    return (torch.linalg.vector_norm(x - y, ord=p) / largest) ** p


def _z_score(values: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(values, unbiased=False)
    return (values - mean) / (deviation + _EPS)


def _unit(values: Tensor, q: float) -> Tensor:
    centred = values - values.mean()
    return centred / (torch.linalg.vector_norm(centred, ord=q) + _EPS)


def _check(prediction: Tensor, mos: Tensor) -> None:
    if prediction.ndim != 1 or prediction.shape != mos.shape:
        raise ValueError(f"expected two (batch,) tensors, got {tuple(prediction.shape)} and {tuple(mos.shape)}")
