"""Processes that end by themselves when the one that they work for is gone, even if that was killed."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable

# How often a process looks whether its launcher is still there, seconds.
_EVERY_S = 1.0


def end_with_parent() -> None:
    """Have this process, started by `multiprocessing`, end when the process that started it does.

    With `forkserver` the parent in the system's sense is the server. What is waited for is the end of the process
    that asked for this one: it holds the other end of a pipe that the system closes whatever it dies of.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        _in_background(parent.join)


def end_with_launcher() -> None:
    """Have this process end when the launcher of several does; the first one of Lightning's has none."""
    if os.environ.get("LOCAL_RANK", "0") == "0" or os.name != "posix":
        return
    launcher = os.getppid()

    def wait() -> None:
        while os.getppid() == launcher:
            time.sleep(_EVERY_S)

    _in_background(wait)


def _in_background(wait: Callable[[], None]) -> None:
    def watch() -> None:
        wait()
        os._exit(1)  # nobody is left to clean up for, and what this process waits for may never come

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
