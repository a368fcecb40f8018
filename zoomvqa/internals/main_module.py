"""Processes that do not run the caller's main script once more, without a change to the caller's process."""

from __future__ import annotations

import multiprocessing
import os
from functools import cache
from importlib import import_module
from multiprocessing import spawn
from types import FunctionType, SimpleNamespace
from typing import Any

from zoomvqa.console import say

# How processes are started: by a server that has imported what they need, where the system can.
METHOD = "forkserver" if os.name == "posix" else "spawn"
# What CPython calls the module that starts a process that way, and the function that reads the preparation data.
_STARTER = "multiprocessing.popen_forkserver" if os.name == "posix" else "multiprocessing.popen_spawn_win32"
_LAUNCH = "_launch" if os.name == "posix" else "__init__"
# Keys of the preparation data that tell a process which main script to import.
_MAIN_KEYS = ("init_main_from_name", "init_main_from_path")

_context: Any = multiprocessing.get_context(METHOD)


class ProcessWithoutMain(_context.Process):
    """A process of `METHOD` whose preparation data leaves the main module out.

    It is for functions of this package, which need nothing of the caller's script; that may import for seconds, or
    begin work of its own. `sys.modules["__main__"]` is not touched, so that several threads can start processes.
    Where a Python starts processes in another way than is known, the script is imported as by any process of
    `multiprocessing`, which one line says.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802  the name is that of multiprocessing
        return _starter()(process_obj)


@cache
def _starter() -> Any:
    """Return CPython's class that starts a process, given a `spawn` module whose preparation data has no main."""
    module = import_module(_STARTER)
    kind, launch = module.Popen, vars(module.Popen).get(_LAUNCH)
    known = (
        isinstance(launch, FunctionType)
        and not launch.__closure__
        and {"spawn", "get_preparation_data"} <= set(launch.__code__.co_names)
        and hasattr(spawn, "get_preparation_data")
    )
    if not known:
        say("This Python starts processes in another way than is known: each of them imports the main script")
        return kind
    view = SimpleNamespace(**{**vars(spawn), "get_preparation_data": _without_main})
    # The same code, but for the one name that it looks up: nothing in `multiprocessing` itself is replaced.
    own = FunctionType(launch.__code__, {**vars(module), "spawn": view}, _LAUNCH, launch.__defaults__)
    return type(kind.__name__, (kind,), {_LAUNCH: own})


def _without_main(name: str) -> dict[str, Any]:
    data: dict[str, Any] = vars(spawn)["get_preparation_data"](name)
    return {key: value for key, value in data.items() if key not in _MAIN_KEYS}
