"""Settings of callbacks and loggers that a config names by `_target_`, the dotted path of a class."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from zoomvqa.errors import nearest

TARGET = "_target_"
# Loggers that need no `_target_`.
OWN_LOGGERS = ("csv", "tensorboard", "wandb")


def is_target(options: Any) -> bool:
    """Tell whether settings name a class by its dotted path."""
    target = options.get(TARGET) if isinstance(options, dict) else None
    return isinstance(target, str) and all(part.isidentifier() for part in target.split(".")) and "." in target


def _names_a_class(options: dict[str, Any]) -> dict[str, Any]:
    if not is_target(options):
        raise ValueError(f"{TARGET}, the dotted path of a class, beside the arguments that it takes")
    return options


def _by_name(callbacks: Any) -> Any:
    if not isinstance(callbacks, dict):
        raise ValueError(  # noqa: TRY004  pydantic tells this one
            "settings by name, such as callbacks.NAME._target_=…, or a file of your own, DIR/callbacks/NAME.yaml, "
            "with --config-dir DIR"
        )
    return callbacks


def _known_loggers(loggers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Refuse loggers that are neither ours nor name a class.

    Raises:
        ValidationError: there are such.
    """
    problems: list[InitErrorDetails] = []
    for name, options in loggers.items():
        if (name in OWN_LOGGERS and TARGET not in options) or is_target(options):
            continue
        hint = nearest(name, OWN_LOGGERS)
        told = f"{', '.join(OWN_LOGGERS)}, or {TARGET}, the dotted path of a logger's class{hint}"
        kind = PydanticCustomError("logger", "{told}", {"told": told})
        problems.append({"type": kind, "loc": (name,), "input": options})
    if problems:
        raise ValidationError.from_exception_data("logger", problems)
    return loggers


Callbacks = Annotated[
    dict[str, Annotated[dict[str, Any], AfterValidator(_names_a_class)]], BeforeValidator(_by_name)
]
Loggers = Annotated[dict[str, dict[str, Any]], AfterValidator(_known_loggers)]
