"""Keys that the YAML files do not list, but that may be given: of Lightning's Trainer, and of callbacks."""

from __future__ import annotations

import re

from zoomvqa.settings.trainer import TrainerSettings

_KEY = re.compile(r"(?P<plus>\+{0,2})(?P<group>trainer|callbacks)\.(?P<first>[^.=]+)[^=]*=")


def open_key(argument: str) -> str:
    """Write an override of such a key so that Hydra takes it, whether it has a `+` or not.

    Hydra refuses a key that is not in the YAML without `+`, and one that is there with it; `++` takes both. What
    may be given is checked with the settings, where the message can name the nearest key.

    Args:
        argument: of the command line.
    """
    found = _KEY.match(argument)
    if found is None:
        return argument
    rest = argument[found.end("plus") :]
    if found["group"] == "trainer" and _is_in_the_yaml(found["first"]):
        return rest if found["plus"] == "+" else argument
    return f"++{rest}"


def _is_in_the_yaml(key: str) -> bool:
    field = TrainerSettings.model_fields.get(key)
    return field is not None and field.is_required()
