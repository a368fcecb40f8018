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
    for again; on a CPU that took up to a third of the CPU time of a training step. The most memory held grows a
    little (5.5 to 5.7 GB for the IQA branch), and it stays with the process. Results keep their bits.

    The commands do this to their own processes. `zoomvqa.load()` does not: a program that scores on a CPU and owns
    its process calls this once, after `load`.

    Returns:
        Whether it could be set: it is a matter of Linux with glibc, and elsewhere nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    mallopt, trim = (getattr(library, name, None) for name in ("mallopt", "malloc_trim"))
    if mallopt is None or trim is None:
        return False
    trim(0)  # what was freed until now goes back: the first weights of a network, which others took the place of
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_M_TRIM_THRESHOLD, -1))
