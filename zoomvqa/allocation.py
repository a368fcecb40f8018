"""How the process gets its memory: what it frees is kept for the next tensors, not given back to the system."""

from __future__ import annotations

import ctypes
import sys

# Of glibc's malloc.h. A request above the first is a mapping of its own, returned when freed; free memory at the
# end of the heap above the second goes back. −1 turns the second off.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST = 2**30


def keep_freed_memory() -> bool:
    """Have this process keep what it frees, up to 1 GiB a tensor, and use it again.

    The system clears every page that it hands out. By default the large tensors of a step are given back and asked
    for again, and on a CPU that took up to a third of a training step's time. The most memory held stays about the
    same; what falls is what is held between steps. Only results' speed changes, never their bits.

    Returns:
        Whether it could be set: it is a matter of Linux with glibc, and elsewhere nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_M_TRIM_THRESHOLD, -1))
