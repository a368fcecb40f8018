"""A sign of life out of long reading: a file of two hours is no decoder that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE_S = 1.0


class _Pulse:
    """Whom to tell, and when that was done last; a process has one, for it reads one file at a time."""

    def __init__(self) -> None:
        self.listener: Callable[[], None] | None = None
        self.last = 0.0


_pulse = _Pulse()


def tell_of_life(listener: Callable[[], None] | None) -> None:
    """Have a function called, about once a second, while a file is being read; None ends it."""
    _pulse.listener, _pulse.last = listener, 0.0


def beat() -> None:
    """Say that reading goes on; whoever reads for long calls this for each packet, frame or block."""
    if _pulse.listener is not None and (now := time.monotonic()) - _pulse.last >= _PAUSE_S:
        _pulse.last = now
        _pulse.listener()
