"""Settings as earlier versions wrote them, in the form of this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What the two branches of earlier versions were, before kinds were written down.
_KINDS = {
    "iqa": {"sampling": "frame_rate", "view": "frame_crops", "network": "patches", "loading": "parts"},
    "vqa": {"sampling": "clips", "view": "fragments", "network": "video", "loading": "videos"},
}


def with_kinds(branch: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, or the description, of a branch with the kinds that earlier versions did not write.

    Args:
        branch: its name.
        values: plain data; what has its kind already stays.
    """
    found = dict(values)
    for key, kind in _KINDS.get(branch, {}).items():
        if isinstance(inner := found.get(key), Mapping):
            found[key] = {"kind": kind, **inner}
    return found


def train_settings(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the config of a run of an earlier version in the form of this one."""
    found = {str(key): value for key, value in values.items()}
    if isinstance(branch := found.get("branch"), Mapping):
        found["branch"] = with_kinds(str(branch.get("name")), branch)
    if isinstance(weights := found.get("weights"), Mapping):  # a head started from random numbers
        found["weights"] = {"head": "random", **weights}
    return found
