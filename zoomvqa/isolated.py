"""Work on many files in processes of their own: one that crashes or hangs costs its own item only."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures import TimeoutError as NotInTime  # before Python 3.11 not the built-in one
from dataclasses import dataclass
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from zoomvqa.parent import end_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")
# Items given to a worker before its last one is done, so that it never waits.
_AHEAD = 2


@dataclass(frozen=True)
class Lost:
    """In the place of a result: why an item has none."""

    reason: str


def run_isolated(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, seconds: float, preload: str
) -> Iterator[tuple[Item, Result | Lost]]:
    """Yield each item with its result, in the order they are ready; no more are taken than workers can keep busy.

    A worker that dies, or is not ready with an item in time, is replaced; the item is `Lost`. Leaving the iterator
    early stops the workers.

    Args:
        function: of a module, so that a process can import it; what it raises makes the item `Lost`.
        items: what it is called with; they are pickled.
        workers: processes.
        seconds: that an item may take.
        preload: the function's module, imported once for all workers.
    """
    method = "forkserver" if os.name == "posix" else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([preload])
    waiting, running = iter(items), dict[Any, Item]()
    pool = ProcessPool(max_workers=workers, context=context, initializer=end_with_parent)
    done = False
    try:
        while True:
            for item in waiting:
                running[pool.schedule(function, args=[item], timeout=seconds)] = item
                if len(running) >= workers * _AHEAD:
                    break
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), _result(future, seconds)
        done = True
    finally:
        if not done:
            pool.stop()
        pool.close()
        pool.join()


def _result(future: Any, seconds: float) -> Any:
    try:
        return future.result()
    except NotInTime:
        return Lost(f"it took longer than {seconds:g} seconds")
    except ProcessExpired as error:
        return Lost(f"the decoder crashed (exit code {error.exitcode})")
    except Exception as error:  # noqa: BLE001  whatever one item raises is its own
        return Lost(" ".join(f"{type(error).__name__}: {error}".split()))
