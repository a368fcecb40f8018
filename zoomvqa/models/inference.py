"""A network made ready for scoring many videos on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from zoomvqa.console import say
from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.packed import can_pack, pack
from zoomvqa.models.vqa.attention import compile_attention, do_not_compile_attention

# Precisions, as Lightning names them, for which something is prepared, and what products are computed in.
_DTYPES = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16}
# How far outputs of the prepared and the plain form may be apart: in float32 as a share of the largest value; in
# bfloat16 as a multiple of how far autocast is from float32, beside two roundings of a typical value.
_APART_FULL = 1e-4
_APART_HALF = 2.0
_ROUNDING = 2.0**-7

Check = Callable[[], list[Tensor]]
Net = TypeVar("Net", bound=nn.Module)


def prepare_for_scoring(net: Net, precision: str = "32-true", *, compile: bool = False) -> Net:  # noqa: A002
    """Make a network ready for repeated forward passes without gradients.

    On a CPU linear layers have their weights reordered once instead of in every call, in
    bf16-mixed rounded too, with the GELU behind one as part of it. What comes out is what it was but for the last
    bits, of float32 in 32-true and of bfloat16 in bf16-mixed: the outputs of a small fixed input are compared, and
    a network for which this does not hold is left as it was, which is said. What comes out depends on the input
    alone, and has the same bits in every process. How the process gets
    its memory is left alone; see `zoomvqa.allocation.keep_freed_memory`, which makes scoring on a CPU faster.

    Args:
        net: a `BranchNet` or a `FusionNet` on its device, or another one with `check_outputs`. It is
            changed, and can only score from then on.
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
    if compile and not (on_cpu and precision in _DTYPES):
        where = "cpu" if on_cpu else "another device"
        raise SettingsError(
            f"compile: got true with precision={precision} on {where}, expected {' or '.join(_DTYPES)} on cpu: "
            "nothing else is compiled"
        )
    if not on_cpu:
        return net
    if precision in _DTYPES:
        for part in net.branches.values() if isinstance(net, FusionNet) else [net]:
            _prepare(part, _DTYPES[precision], compiled=compile)
    return net


def _prepare(net: nn.Module, dtype: torch.dtype, *, compiled: bool) -> None:
    """Prepare one branch, compare it with what it was, and put it back where they are apart."""
    if not compiled and not can_pack(dtype):
        return
    check: Check = net.check_outputs  # type: ignore[assignment]
    undo: list[Callable[[], None]] = []
    try:
        plain = _outputs(check, dtype)
        if not plain:  # nothing to compare its forms by
            return
        exact = plain if dtype == torch.float32 else _outputs(check, torch.float32)
        if can_pack(dtype):
            undo.append(pack(net, dtype))
        if compiled and compile_attention(net):
            undo.append(lambda: do_not_compile_attention(net))
        reason = _difference(_outputs(check, dtype), plain, exact)
    except ToolError:
        raise
    except Exception as error:  # noqa: BLE001  what somebody else's network raises when its layers are replaced
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    if reason:
        for put_back in undo:
            put_back()
        say(f"{type(net).__name__}: scored in its plain form, which is slower; it cannot be prepared ({reason})")


@torch.inference_mode()
def _outputs(check: Check, dtype: torch.dtype) -> list[Tensor]:
    """Return the outputs of the network's small fixed input, computed in `dtype`, as float32."""
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        return [output.float() for output in check()]


def _difference(prepared: list[Tensor], plain: list[Tensor], exact: list[Tensor]) -> str:
    """Return how the prepared form differs from the plain one by more than rounding; empty where it does not.

    Args:
        prepared: its outputs.
        plain: those of the plain form in the same precision.
        exact: those of the plain form in float32; the very same as `plain` where that is the precision.
    """
    for number, (new, old, true) in enumerate(zip(prepared, plain, exact, strict=True)):
        if new.shape != old.shape:
            return f"output {number} has the shape {tuple(new.shape)} instead of {tuple(old.shape)}"
        if plain is exact:
            apart, most = float((new - old).abs().max()), _APART_FULL * float(old.abs().max())
        else:
            apart, most = _rms(new - true), _APART_HALF * _rms(old - true) + _ROUNDING * _rms(true)
        if not apart <= most:  # also where one is not a number
            return f"output {number} is apart by {apart:.1e}, expected at most {most:.1e}"
    return ""


def _rms(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
