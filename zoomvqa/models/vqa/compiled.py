"""What of a Video Swin is written in C++: the files of `native`, built on this machine when asked for."""

from __future__ import annotations

import logging
import platform
import shutil
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor, nn

from zoomvqa.errors import ToolError
from zoomvqa.files import cache_folder
from zoomvqa.internals.torch_private import remove_build_locks
from zoomvqa.models.vqa.bias import Bias
from zoomvqa.models.vqa.windows import Group

# Channels of a head.
_WIDTHS = (16, 32)
_FLAGS = ["-O3", "-std=c++20", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math"]


def build_attention() -> None:
    """Build the attention, or load it where this machine has built it before; some ten seconds, once.

    A process loads it once: to load another build would end the process.

    Raises:
        ToolError: there is no C++ compiler or no ninja, or the compiler refuses.
    """
    if _is_loaded():
        return
    if not sys.platform.startswith("linux"):
        raise ToolError(f"compile=true: tried on Linux only, and this is {platform.system()}; use compile=false")
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it speaks of CUDA where there is none
    from torch.utils import cpp_extension  # noqa: PLC0415  takes seconds

    compiler = cpp_extension.get_cxx_compiler()
    if shutil.which(compiler) is None:
        raise ToolError(f"compile=true: there is no C++ compiler ('{compiler}'); install g++ or use compile=false")
    if not cpp_extension.is_ninja_available():
        raise ToolError("compile=true: there is no ninja on the PATH; `pip install ninja`, or use compile=false")
    folder = Path(__file__).with_name("native")
    sources = sorted(str(source) for source in folder.glob("*.cpp"))
    # Built for the instructions of this CPU: others that share the home directory need their own.
    name = f"zoomvqa_{_cpu()}"
    built = cache_folder() / "native" / f"torch{torch.__version__}" / name
    built.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(built.with_suffix(".lock")):
            remove_build_locks(built)  # torch's own, which outlives a killed process
            cpp_extension.load(
                name, sources, extra_cflags=_FLAGS, build_directory=str(built), is_python_module=False
            )
    except (RuntimeError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ToolError(f"compile=true: '{compiler}' could not build {folder} ({reason})") from None


def _is_loaded() -> bool:
    return hasattr(torch.ops.zoomvqa, "window_attention")


def _cpu() -> str:
    """Return a short name of the kind of CPU."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.is_file() else []
    kind = next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
    return f"{zlib.crc32(kind.encode()):08x}"


def fits(width: int) -> bool:
    """Tell whether heads of so many channels can be attended to."""
    return width in _WIDTHS


def window_attention(qkv: Tensor, bias: Bias, parts: Sequence[tuple[Group, slice]]) -> Tensor:
    """Attend within parts of windows, each by itself; no gradients.

    The result for (q, k, v) is softmax(q · kᵀ / √width + bias) · v. Products and weights of bfloat16 are summed in
    float32, and weights rounded once. What comes out depends on neither threads nor other parts.

    Args:
        qkv: (batch, places, 3, heads, width), float32 or bfloat16 on a CPU, of a width that `fits`.
        bias: of the same dtype.
        parts: groups, and at which places the tokens of some of their parts stand; together at all of them.

    Returns:
        (batch, places, heads · width) of the same dtype.
    """
    qkv = qkv.contiguous()
    out = qkv.new_empty(*qkv.shape[:2], qkv.shape[3] * qkv.shape[4])
    torch.ops.zoomvqa.window_attention(
        out, qkv, *bias.contiguous(), [group.gate for group, _ in parts], [places.start for _, places in parts],
        [(places.stop - places.start) // group.tokens for group, places in parts],
        [side for group, _ in parts for side in group.size], qkv.shape[-1] ** -0.5,
    )  # fmt: skip
    return out


def window_attention_gradient(
    above: Tensor, mixed: Tensor, qkv: Tensor, bias: Bias, turned: Bias, group: Group
) -> tuple[Tensor, Tensor]:
    """Return the gradients of what `window_attention` was given.

    Weights are computed again. What comes out depends on neither threads nor how parts are shared among them.

    Args:
        above: (parts, N, heads · width), the gradient of its result.
        mixed: its result.
        qkv: as it was given.
        bias: as it was given.
        turned: `bias.turned()`.
        group: that the parts belong to.

    Returns:
        That of `qkv`, and that of the bias, (heads, N, N) float32, summed over parts.
    """
    qkv = qkv.contiguous()
    grad_qkv, grad_bias = torch.empty_like(qkv), torch.zeros(qkv.shape[3], group.tokens, group.tokens)
    torch.ops.zoomvqa.window_attention_gradient(
        grad_qkv, grad_bias, above.contiguous(), mixed.contiguous(), qkv, *bias.contiguous(), *turned.contiguous(),
        group.gate, group.size, qkv.shape[-1] ** -0.5,
    )  # fmt: skip
    return grad_qkv, grad_bias


def norm_at(x: Tensor, places: Tensor, norm: nn.LayerNorm, dtype: torch.dtype) -> Tensor:
    """Return layer norms of tokens, in float32 and rounded once.

    Args:
        x: (batch, tokens, channels) float32 on a CPU, channels a multiple of 16; may be a piece of a longer one.
        places: (count,) int64; from `tokens` on they are padding, which becomes 0.
        norm: over the channels.
        dtype: of the result, float32 or bfloat16.

    Returns:
        (batch, count, channels).
    """
    out = torch.empty(len(x), len(places), x.shape[2], dtype=dtype)
    torch.ops.zoomvqa.norm_at(out, x, places.contiguous(), norm.weight, norm.bias, norm.eps)
    return out


def norm_joined(x: Tensor, places: Tensor, norm: nn.LayerNorm, dtype: torch.dtype) -> Tensor:
    """Return layer norms of several tokens behind each other, in float32 and rounded once.

    Args:
        x: as for `norm_at`.
        places: (count, several) int64; from `tokens` on they are padding, tokens of 0.
        norm: over several times the channels.
        dtype: of the result, float32 or bfloat16.

    Returns:
        (batch, count, several · channels).
    """
    out = torch.empty(len(x), len(places), places.shape[1] * x.shape[2], dtype=dtype)
    torch.ops.zoomvqa.norm_joined(out, x, places.contiguous(), norm.weight, norm.bias, norm.eps)
    return out


def add_at(x: Tensor, places: Tensor, more: Tensor) -> None:
    """Add (batch, count, channels) float32 or bfloat16 to the tokens at the places, none of which comes twice."""
    torch.ops.zoomvqa.add_at(x, places.contiguous(), more.contiguous())
