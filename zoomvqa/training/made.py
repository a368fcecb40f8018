"""Callbacks and loggers that the settings name by `_target_`: whoever starts a run says how they are made.

The commands make them with Hydra, which nothing else here knows. Each run gets objects of its own, for they keep
state: a protocol trains many runs with the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from zoomvqa.errors import SettingsError
from zoomvqa.settings.targets import TARGET

# Makes an object, given its key and its settings.
Make = Callable[[str, Mapping[str, Any]], Any]
_make: ContextVar[Make | None] = ContextVar("make", default=None)


@contextmanager
def made_by(make: Make) -> Iterator[None]:
    """Have runs within this context make what their settings name by `_target_`."""
    token = _make.set(make)
    try:
        yield
    finally:
        _make.reset(token)


def make_callbacks(named: Mapping[str, Mapping[str, Any]]) -> list[Callback]:
    """Return the callbacks that the settings name, in their order.

    Raises:
        UserError: one cannot be made, or is no callback of Lightning's.
    """
    found: list[Callback] = []
    for name, options in named.items():
        made = _made(f"callbacks.{name}", options)
        if not isinstance(made, Callback):
            raise _of_another_kind(f"callbacks.{name}", options, made, "callbacks.Callback")
        found.append(made)
    return found


def make_logger(name: str, options: Mapping[str, Any]) -> Logger:
    """Return a logger that the settings name.

    Raises:
        UserError: it cannot be made, or is no logger of Lightning's.
    """
    made = _made(f"logger.{name}", options)
    if not isinstance(made, Logger):
        raise _of_another_kind(f"logger.{name}", options, made, "loggers.Logger")
    return made


def _made(key: str, options: Mapping[str, Any]) -> Any:
    make = _make.get()
    if make is None:
        raise SettingsError(
            f"{key}: got {TARGET}={options[TARGET]}, but nobody has said how to make it: "
            "zoomvqa.training.made.made_by(make)"
        )
    return make(key, options)


def _of_another_kind(key: str, options: Mapping[str, Any], made: Any, expected: str) -> SettingsError:
    return SettingsError(
        f"{key}.{TARGET}: got {options[TARGET]}, which makes a {type(made).__name__}, expected a subclass of "
        f"lightning.pytorch.{expected}"
    )
