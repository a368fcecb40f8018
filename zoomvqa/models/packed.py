"""Linear layers in the form in which oneDNN multiplies them, in the place of those of a network on a CPU."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from zoomvqa.internals.torch_private import can_multiply, linear, reordered
from zoomvqa.models.layers import Mlp


class PackedLinear(nn.Module):
    """A linear layer whose weights are in the order in which oneDNN multiplies them.

    Args:
        layer: on a CPU; its numbers are copied.
        dtype: of weights, products and results, float32 or bfloat16; sums are float32.
        gelu: apply the exact GELU to the result before it is rounded to `dtype`.
    """

    def __init__(self, layer: nn.Linear, dtype: torch.dtype = torch.bfloat16, *, gelu: bool = False) -> None:
        super().__init__()
        self.in_features, self.out_features, self._dtype = layer.in_features, layer.out_features, dtype
        self.gelu = gelu
        self._weight = reordered(layer.weight.detach().to(dtype))
        self._bias = None if layer.bias is None else layer.bias.detach().to(dtype)
        self._after: tuple[str, list, str] = ("gelu", [], "none") if gelu else ("none", [], "")

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, in) of any dtype to (…, out) of the layer's."""
        return linear(x.to(self._dtype), self._weight, self._bias, self._after)


def can_pack(dtype: torch.dtype) -> bool:
    """Tell whether this torch, on this CPU, has what packing to float32 or bfloat16 needs."""
    return can_multiply(dtype)


def pack(net: nn.Module, dtype: torch.dtype) -> Callable[[], None]:
    """Replace linear layers, and the GELU of an MLP that becomes part of one; reorder weights of 3-D convolutions.

    Only layers of exactly torch's own class are replaced: a subclass may compute something else, or have its
    weights read by others. A layer of torch's own may have its weights read too; the network then raises an
    AttributeError when it is called.

    Args:
        net: changed in place.
        dtype: float32 or bfloat16, one that `can_pack`.

    Returns:
        What puts everything back as it was; this is done already where an operator raises an error.
    """
    undo: list[Callable[[], None]] = []

    def put_back() -> None:
        while undo:
            undo.pop()()

    try:
        _pack(net, dtype, undo)
    except BaseException:
        put_back()
        raise
    return put_back


def _pack(module: nn.Module, dtype: torch.dtype, undo: list[Callable[[], None]]) -> None:
    if type(module) is nn.Conv3d:  # what comes out is then in the order that the next layer wants
        _order(module, torch.channels_last_3d)
        undo.append(partial(_order, module, torch.contiguous_format))
    fused = type(module) in _mlps() and type(module.fc1) is nn.Linear and _is_gelu(module.act)
    for name, child in list(module.named_children()):
        if type(child) is nn.Linear:
            _replace(module, name, PackedLinear(child, dtype, gelu=fused and child is module.fc1), undo)
        else:
            _pack(child, dtype, undo)
    if fused:
        _replace(module, "act", nn.Identity(), undo)


def _order(module: nn.Module, form: torch.memory_format) -> None:
    module.to(memory_format=form)


def _replace(module: nn.Module, name: str, new: nn.Module, undo: list[Callable[[], None]]) -> None:
    old = getattr(module, name)
    undo.append(lambda: setattr(module, name, old))
    setattr(module, name, new)


def _mlps() -> set[type]:
    """Return the classes of which it is known that `act` is applied to what `fc1` gives, and to nothing else."""
    timm_layers = sys.modules.get("timm.layers")  # not imported here: without it there is no layer of its either
    return {Mlp} | ({timm_layers.Mlp, timm_layers.GlobalResponseNormMlp} if timm_layers else set())


def _is_gelu(act: object) -> bool:
    """Tell whether an activation is the exact GELU, torch's or timm's."""
    if type(act) is nn.GELU:
        return act.approximate == "none"
    timm_layers = sys.modules.get("timm.layers")
    return timm_layers is not None and type(act) is timm_layers.GELU
