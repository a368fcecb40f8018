"""Files and folders that settings name, wherever the command is run from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoomvqa.settings.commands import TrainSettings

# Keys of a training that name files or folders, beside those of its data.
_FILES = (("iqa",), ("vqa",), ("weights", "source"), ("branch", "loading", "cache_folder"))


def seen_from(settings: TrainSettings, folder: Path) -> TrainSettings:
    """Return settings whose relative paths, which count from a folder, are absolute.

    What is not there from that folder stays: names of public weights, and files that were moved along with a run.

    Args:
        settings: of a run.
        folder: the working folder of the command that began the run.
    """
    values = settings.model_dump(mode="json")

    def absolute(path: Any) -> Any:
        if not isinstance(path, str) or path.startswith("~"):
            return path
        found = os.path.join(folder, path)  # noqa: PTH118  an absolute path stays
        return os.path.normpath(found) if os.path.exists(found) else path  # noqa: PTH110

    for keys in _FILES:
        _change(values, keys, absolute)
    values["fuse"] = {name: absolute(source) for name, source in values["fuse"].items()}
    data = values["data"]
    for one in data["sets"].values() if "sets" in data else [data]:
        _change(one, ("root",), absolute)
        if isinstance(files := one["annotations"], dict):
            one["annotations"] = {split: absolute(file) for split, file in files.items()}
        else:
            one["annotations"] = absolute(files)
    return TrainSettings.model_validate(values)


def _change(values: dict[str, Any], keys: tuple[str, ...], change: Callable[[Any], Any]) -> None:
    """Change the value at nested keys, where there is one."""
    for key in keys[:-1]:
        values = values.get(key) or {}
    if keys[-1] in values:
        values[keys[-1]] = change(values[keys[-1]])
