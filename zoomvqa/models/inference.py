"""A network made ready for scoring many videos on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoomvqa.allocation import keep_freed_memory
from zoomvqa.errors import SettingsError
from zoomvqa.models.vqa.attention import compile_attention

# Precisions, as Lightning names them, in which `compile` does something.
_COMPILED = ("32-true", "bf16-mixed")


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
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().to(dtype), None)
        self._bias = None if layer.bias is None else layer.bias.detach().to(dtype)
        self._after: tuple[str, list, str] = ("gelu", [], "none") if gelu else ("none", [], "")

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, in) of any dtype to (…, out) of the layer's."""
        return torch.ops.mkldnn._linear_pointwise(x.to(self._dtype), self._weight, self._bias, *self._after)


def prepare_for_scoring(net: nn.Module, precision: str = "32-true", *, compile: bool = False) -> nn.Module:  # noqa: A002
    """Make a network ready for repeated forward passes without gradients.

    On a CPU freed memory is kept, and linear layers have their weights reordered once instead of in every call, in
    bf16-mixed rounded too, with the GELU behind one as part of it. What comes out is what it was but for the last
    bits, of float32 in 32-true and of bfloat16 in bf16-mixed. It depends on the input alone, and has the same bits
    in every process.

    Args:
        net: an `IQANet`, `VQANet` or `FusionNet` on its device. It is changed, and can only score from then on.
        precision: that it is used in, as Lightning names it; the caller still uses autocast.
        compile: also build the attention of a Video Swin in C++, which takes ten seconds the first time.

    Returns:
        `net`, in evaluation mode.

    Raises:
        SettingsError: `compile` for another precision or device, where nothing is compiled.
        ToolError: `compile` without a C++ compiler or ninja.
    """
    net.eval()
    on_cpu = all(parameter.device.type == "cpu" for parameter in net.parameters())
    if compile and not (on_cpu and precision in _COMPILED):
        where = "cpu" if on_cpu else "another device"
        raise SettingsError(
            f"compile: got true with precision={precision} on {where}, expected {' or '.join(_COMPILED)} on cpu: "
            "nothing else is compiled"
        )
    if not on_cpu:
        return net
    keep_freed_memory()
    if precision == "bf16-mixed" and _can_pack_half():
        _pack(net, torch.bfloat16)
    elif precision == "32-true" and torch.backends.mkldnn.is_available():
        _pack(net, torch.float32)
    if compile:
        compile_attention(net)
    return net


def _can_pack_half() -> bool:
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _pack(module: nn.Module, dtype: torch.dtype) -> None:
    """Replace linear layers, and activations that become part of them; reorder the weights of a convolution."""
    if isinstance(module, nn.Conv3d):  # what comes out is then in the order that the next layer wants
        module.to(memory_format=torch.channels_last_3d)
    fused = _is_gelu(getattr(module, "act", None)) and isinstance(getattr(module, "fc1", None), nn.Linear)
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, PackedLinear(child, dtype, gelu=fused and name == "fc1"))
        else:
            _pack(child, dtype)
    if fused:
        module.act = nn.Identity()


def _is_gelu(act: object) -> bool:
    """Tell whether an activation is the exact GELU, torch's or timm's."""
    if isinstance(act, nn.GELU):
        return act.approximate == "none"
    return type(act).__name__ == "GELU" and type(act).__module__.startswith("timm.layers.")
