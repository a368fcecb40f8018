"""What a process and all that it started hold: memory, file handles, processes. Linux only."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Held(NamedTuple):
    """What is held at a moment.

    Attributes:
        memory: of all processes, 10⁶ bytes. What they share counts once, but for files in memory (libraries):
            those of the first process count in full, whoever else has them, so that it is never too little.
        own: of it, that of the first process.
        handles: file handles of the first process.
        all_handles: of all of them.
        children: processes below the first one.
    """

    memory: float
    own: float
    handles: int
    all_handles: int
    children: int


def held(pid: int | None = None) -> Held:
    """Look at a process, this one by default, and those below it."""
    first = os.getpid() if pid is None else pid
    below = descendants(first)
    memory = {first: _memory(first, libraries=True), **{each: _memory(each) for each in below}}
    handles = {each: _handles(each) for each in (first, *below)}
    return Held(sum(memory.values()), memory[first], handles[first], sum(handles.values()), len(below))


def descendants(pid: int) -> list[int]:
    """Return the processes below one, those that are dead and not yet waited for included."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            # pid (name) state parent …: a name may have brackets.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, waiting = list[int](), [pid]
    while waiting:
        next_ones = children.get(waiting.pop(), [])
        found += next_ones
        waiting += next_ones
    return found


def helpers(pid: int) -> list[int]:
    """Return the processes that Python keeps below one for starting others: they stay until it ends."""
    found = []
    for folder in (_PROC / str(child) for child in descendants(pid)):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
            if parent == pid and re.search(rb"multiprocessing\.(forkserver|resource_tracker)", command):
                found.append(int(folder.name))
    return found


def _memory(pid: int, *, libraries: bool = False) -> float:
    """Return what a process holds, 10⁶ bytes: its share of what it shares, or all of it where that is not told.

    Args:
        pid: the process.
        libraries: count files in memory in full.
    """
    with suppress(OSError, KeyError):
        lines = re.findall(r"^(\w+):\s+(\d+) kB", (_PROC / str(pid) / "smaps_rollup").read_text(), re.MULTILINE)
        told = {name: int(size) * 1024 / 1e6 for name, size in lines}
        if libraries:
            return told["Pss_Anon"] + told["Rss"] - told["Anonymous"]
        return told["Pss"]
    with suppress(OSError, IndexError):
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def _handles(pid: int) -> int:
    with suppress(OSError):
        return sum(1 for _ in (_PROC / str(pid) / "fd").iterdir())
    return 0


class Peak:
    """Watches how much memory this process and those below it hold, until the block ends.

    Args:
        every: seconds between looks.

    Attributes:
        memory: the most, 10⁶ bytes.
    """

    def __init__(self, every: float = 0.25) -> None:
        self.memory, self._every = 0.0, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:  # noqa: PYI034  Self is not in Python 3.10
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            self.memory = max(self.memory, held().memory)
            self._over.wait(self._every)


def wait_until_alone(seconds: float = 10.0, beside: Collection[int] = ()) -> list[int]:
    """Wait until nothing that this process started is left but its helpers; return what is, after that time.

    Args:
        seconds: so long.
        beside: processes that may stay.
    """
    until = time.monotonic() + seconds
    while True:
        stay = {*beside, *helpers(os.getpid())}
        left = [pid for pid in descendants(os.getpid()) if pid not in stay]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)
