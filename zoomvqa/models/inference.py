"""A network made ready for scoring many videos in half precision on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoomvqa.allocation import keep_freed_memory
from zoomvqa.errors import SettingsError
from zoomvqa.models.vqa.attention import WindowAttention
from zoomvqa.models.vqa.softmax import build_softmax


class PackedLinear(nn.Module):
    """A linear layer whose weights are bfloat16, in the order in which oneDNN multiplies them.

    Args:
        layer: on a CPU; its numbers are copied.
        gelu: apply the exact GELU to the result before it is rounded to bfloat16.
    """

    def __init__(self, layer: nn.Linear, *, gelu: bool = False) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().bfloat16(), None)
        self._bias = None if layer.bias is None else layer.bias.detach().bfloat16()
        self._after: tuple[str, list, str] = ("gelu", [], "none") if gelu else ("none", [], "")

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, in) of any dtype to (…, out) bfloat16."""
        return torch.ops.mkldnn._linear_pointwise(x.bfloat16(), self._weight, self._bias, *self._after)


def prepare_for_scoring(net: nn.Module, precision: str = "32-true", *, compile: bool = False) -> nn.Module:  # noqa: A002
    """Make a network ready for repeated forward passes without gradients.

    In bf16-mixed on a CPU, linear layers have their weights rounded and reordered once instead of in every call,
    and the GELU behind one is part of it. Freed memory is kept. Anything else stays as it is. What comes out is
    within bfloat16 of float32, depends on the input alone, and has the same bits in every process.

    Args:
        net: an `IQANet`, `VQANet` or `FusionNet` on its device. It is changed, and can only score from then on.
        precision: that it is used in, as Lightning names it; the caller still uses autocast.
        compile: also build the attention weights of a Video Swin in C++, which takes half a minute the first time.

    Returns:
        `net`, in evaluation mode.

    Raises:
        SettingsError: `compile` for another precision or device, where nothing is compiled.
        ToolError: `compile` without a C++ compiler or ninja.
    """
    net.eval()
    on_cpu = all(parameter.device.type == "cpu" for parameter in net.parameters())
    if compile and not (on_cpu and precision == "bf16-mixed"):
        where = "cpu" if on_cpu else "another device"
        raise SettingsError(
            f"compile: got true with precision={precision} on {where}, expected bf16-mixed on cpu: nothing else "
            "is compiled"
        )
    if not on_cpu:
        return net
    keep_freed_memory()
    if precision == "bf16-mixed" and _can_pack():
        _pack(net)
    if compile:
        layers = [layer for layer in net.modules() if isinstance(layer, WindowAttention)]
        if layers:
            build_softmax()
        for layer in layers:
            layer.compiled = True
    return net


def _can_pack() -> bool:
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _pack(module: nn.Module) -> None:
    """Replace the linear layers within a module, and activations that become part of them."""
    act = getattr(module, "act", None)
    fused = (
        isinstance(act, nn.GELU)
        and act.approximate == "none"
        and isinstance(getattr(module, "fc1", None), nn.Linear)
    )
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, PackedLinear(child, gelu=fused and name == "fc1"))
        else:
            _pack(child)
    if fused:
        module.act = nn.Identity()
