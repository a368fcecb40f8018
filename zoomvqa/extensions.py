"""Plugins: modules from outside the package that register kinds of their own; see `zoomvqa.settings.registry`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from zoomvqa.errors import SettingsError

# Installed packages name their modules in this group of entry points, and need not be named by a command.
GROUP = "zoomvqa.plugins"


def import_plugins(names: Sequence[str]) -> None:
    """Import the modules of installed plugins, and those that are named; they register what they bring.

    A module is looked for in the working folder, too. Only a command line, a config or a caller name plugins: what
    a checkpoint says that it was made with is never imported.

    Args:
        names: of modules, with dots.

    Raises:
        SettingsError: one cannot be imported.
    """
    here = str(Path.cwd())
    if names and here not in sys.path:
        sys.path.append(here)
    for name in [*(point.value for point in entry_points(group=GROUP)), *names]:
        try:
            import_module(name.partition(":")[0])
        except Exception as error:  # noqa: BLE001  whatever somebody else's module raises
            reason = (str(error).splitlines() or [""])[0]
            raise SettingsError(
                f"plugins: {name} cannot be imported ({type(error).__name__}: {reason}); expected the name of a "
                "module, such as my_package.my_module, of the working folder or installed"
            ) from None
