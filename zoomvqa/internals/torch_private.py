"""What of torch is used that begins with an underscore, or is a matter of its build."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoomvqa.console import say

_LAYER = ("_reorder_linear_weight", "_linear_pointwise")
_HALF = "_is_mkldnn_bf16_supported"


def can_multiply(dtype: torch.dtype) -> bool:
    """Tell whether oneDNN's own linear layers are there for float32 or bfloat16 on this CPU.

    A torch that has oneDNN and lacks an operator is said to, once.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    operators = _operators()
    wanted = _LAYER if dtype == torch.float32 else (*_LAYER, _HALF)
    if missing := [name for name in wanted if not hasattr(operators, name)]:
        _say_missing(missing[0])
        return False
    return dtype == torch.float32 or bool(getattr(operators, _HALF)())


def reordered(weight: Tensor) -> Tensor:
    """Return (out, in) weights in the order in which oneDNN multiplies them, where `can_multiply`."""
    found: Tensor = _operators()._reorder_linear_weight(weight, None)
    return found


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, after: tuple[str, list[Any], str]) -> Tensor:
    """Return what a linear layer of `reordered` weights makes of (…, in).

    Args:
        x: of the weights' dtype.
        weight: reordered.
        bias: (out,), or None.
        after: what oneDNN does to the result: `gelu` or `none`, its numbers, and its variant.
    """
    found: Tensor = _operators()._linear_pointwise(x, weight, bias, *after)
    return found


def follow(averages: list[Tensor], news: list[Tensor], decay: float) -> None:
    """Set each average to decay · average + (1 − decay) · news, in a few calls for all where torch has such."""
    multiply, add = getattr(torch, "_foreach_mul_", None), getattr(torch, "_foreach_add_", None)
    if multiply is not None and add is not None:
        multiply(averages, decay)
        add(averages, news, alpha=1 - decay)
        return
    for average, new in zip(averages, news, strict=True):
        average.mul_(decay).add_(new, alpha=1 - decay)


def remove_build_locks(folder: Path) -> None:
    """Remove what torch's own lock leaves in the folder of a build that was killed; the caller holds another lock.

    Torch calls the file `lock`; where it has another name with that word in it, that one is removed.
    """
    for path in folder.glob("*lock*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def _operators() -> Any:
    return torch.ops.mkldnn


@cache
def _say_missing(name: str) -> None:
    say(f"This torch has no operator mkldnn.{name}: networks are scored in their plain form, which is slower")
