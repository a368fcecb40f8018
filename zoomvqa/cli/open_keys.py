"""Keys that YAML files do not list, but that may be given: of Lightning's Trainer, of callbacks, of a loss."""

from __future__ import annotations

import re

from zoomvqa.settings.loss import LossSettings
from zoomvqa.settings.trainer import TrainerSettings

_KEY = re.compile(r"(?P<plus>\+{0,2})(?P<group>trainer|callbacks|branch\.loss)\.(?P<first>[^.=]+)[^=]*=")


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
    if _is_in_the_yaml(found["group"], found["first"]):
        return rest if found["plus"] == "+" else argument
    return f"++{rest}"


def _is_in_the_yaml(group: str, key: str) -> bool:
    """Tell whether every config lists a key: what a Trainer needs, and what all losses have."""
    if group == "trainer":
        field = TrainerSettings.model_fields.get(key)
        return field is not None and field.is_required()
    return group == "branch.loss" and key in LossSettings.model_fields
