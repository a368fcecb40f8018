"""Softmax of products and bias in one pass over the cache: `softmax.cpp`, built on this machine when asked for."""

from __future__ import annotations

import platform
import shutil
import sys
import zlib
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from zoomvqa.errors import ToolError

_FLAGS = ["-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math"]


@cache
def build_softmax() -> None:
    """Build the softmax, or load it where this machine has built it before; half a minute, once.

    Raises:
        ToolError: there is no C++ compiler or no ninja, or the compiler refuses.
    """
    if not sys.platform.startswith("linux"):
        raise ToolError(f"compile=true: tried on Linux only, and this is {platform.system()}; use compile=false")
    from torch.utils import cpp_extension  # noqa: PLC0415  seconds, and it speaks about CUDA

    compiler = cpp_extension.get_cxx_compiler()
    if shutil.which(compiler) is None:
        raise ToolError(f"compile=true: there is no C++ compiler ('{compiler}'); install g++ or use compile=false")
    if not cpp_extension.is_ninja_available():
        raise ToolError(
            "compile=true: there is no ninja on the PATH; `pip install ninja`, or use compile=false"
        )
    source = str(Path(__file__).with_name("softmax.cpp"))
    try:
        # Built for the instructions of this CPU: others that share the home directory need their own.
        cpp_extension.load(f"zoomvqa_{_cpu()}", [source], extra_cflags=_FLAGS, is_python_module=False)
    except (RuntimeError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ToolError(f"compile=true: '{compiler}' could not build {source} ({reason})") from None


def _cpu() -> str:
    """Return a short name of the kind of CPU."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.is_file() else []
    kind = next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
    return f"{zlib.crc32(kind.encode()):08x}"


def softmax_with_bias(scores: Tensor, start: Tensor, rise: Tensor | None, gate: Tensor, scale: float) -> None:
    """Replace products by attention weights, computed in float32 and rounded once.

    Args:
        scores: (parts · heads, N, N) bfloat16 on a CPU; becomes softmax(scale · scores + start + gate · rise).
        start: (heads, N, N) bfloat16.
        rise: the same, or None for a bias that is `start`.
        gate: (N, N) uint8.
        scale: of the products.
    """
    given = scores, start.contiguous(), None if rise is None else rise.contiguous(), gate.contiguous()
    torch.ops.zoomvqa.softmax_with_bias(*given, scale)
