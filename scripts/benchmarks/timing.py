"""Time and memory of pieces of work."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

ROUNDS = 5
T = TypeVar("T")

# Of a table: the work, how long the plain way takes, how long ours, their ratio.
Rows = list[list[str]]


def paired(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float, float]:
    """Time two pieces of work in turn; return both medians (seconds) and the median of the paired ratios."""
    one(), other()
    times: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        pair = []
        for work in (one, other):
            begin = time.perf_counter()
            work()
            pair.append(time.perf_counter() - begin)
        times.append((pair[0], pair[1]))
    first, second = zip(*times, strict=True)
    return statistics.median(first), statistics.median(second), statistics.median(b / a for a, b in times)


def alone(work: Callable[[], T]) -> tuple[T, float]:
    """Do a piece of work in a process of its own; return what it returned and the most memory held, 10⁹ bytes.

    The memory is that of the process and, where it had children, of the largest of them besides.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, work).result()


def peak_memory(work: Callable[[], object]) -> float:
    """Return the memory of `alone`, 10⁹ bytes."""
    return alone(work)[1]


def _measured(work: Callable[[], T]) -> tuple[T, float]:
    found = work()
    held = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return found, sum(held) * 1024 / 1e9
