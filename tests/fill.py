"""Weights and inputs that anyone can make again: every tensor from its own name."""

from __future__ import annotations

import math
import zlib

import numpy as np
import torch
from torch import Tensor


def fill(key: str, shape: tuple[int, ...]) -> Tensor:
    """The float32 tensor of a name: standard normal numbers seeded by the name's CRC-32, scaled by its role."""
    noise = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape)
    if key.endswith("position_bias_table"):
        values = 0.5 * noise
    elif key.endswith("gamma"):
        values = 0.2 + 0.05 * noise
    elif key.endswith("bias"):
        values = 0.1 * noise
    elif len(shape) == 1:
        values = 1 + 0.1 * noise
    else:
        values = noise / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def unit_input(key: str, shape: tuple[int, ...]) -> Tensor:
    """A network's input of a name: standard normal numbers."""
    return fill(key, shape) * math.sqrt(math.prod(shape[1:]))
