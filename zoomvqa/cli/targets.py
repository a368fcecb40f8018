"""Makes the callbacks and loggers that configs name by `_target_`, with Hydra.

They are named by the command line and its configs alone. A run's folder and its checkpoints keep the names as
plain data, which nothing makes objects of.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from zoomvqa.errors import SettingsError, ToolError, nearest
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.targets import TARGET, is_target


def make(key: str, options: Mapping[str, Any]) -> Any:
    """Return what settings with `_target_` describe; see `zoomvqa.training.made`.

    Args:
        key: of the settings, for the message.
        options: the settings.

    Raises:
        SettingsError: there is no such class, or it refuses its arguments.
        ToolError: it needs a package that is not installed.
    """
    locate(key, str(options[TARGET]))
    try:
        return instantiate(dict(options), _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__ or error
        reason = " ".join(str(cause).split()) or type(cause).__name__
        if isinstance(cause, ImportError):
            raise ToolError(f"{key}: {options[TARGET]}: {reason}") from None
        raise SettingsError(f"{key}: {options[TARGET]} cannot be made: {reason}") from None


def locate(key: str, path: str) -> Any:
    """Return what a dotted path names.

    Raises:
        SettingsError: there is no such module, or it has nothing of this name.
        ToolError: the module needs a package that is not installed.
    """
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:count])
        try:
            found: Any = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise ToolError(f"{key}.{TARGET}: got {path}, whose module cannot be imported: {error}") from None
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                told = f"{getattr(found, '__name__', part)} has no '{part}'{nearest(part, dir(found))}"
                raise SettingsError(f"{key}.{TARGET}: got {path}, expected the dotted path of a class: {told}")
            found = getattr(found, part)
        return found
    raise SettingsError(
        f"{key}.{TARGET}: got {path}, expected the dotted path of a class: there is no module '{parts[0]}' "
        "(PYTHONPATH=FOLDER adds the folder of yours)"
    )


def refuse_bad_targets(settings: TrainSettings) -> None:
    """Look for the classes of callbacks and loggers before anything else is done.

    Raises:
        UserError: one is not there, or is of another kind.
    """
    from lightning.pytorch.callbacks import Callback  # noqa: PLC0415  slow
    from lightning.pytorch.loggers import Logger  # noqa: PLC0415

    for group, named, kind in (("callbacks", settings.callbacks, Callback), ("logger", settings.logger, Logger)):
        for name, options in named.items():
            if not is_target(options):
                continue
            found = locate(f"{group}.{name}", options[TARGET])
            if isinstance(found, type) and not issubclass(found, kind):
                raise SettingsError(
                    f"{group}.{name}.{TARGET}: got {options[TARGET]}, expected a subclass of "
                    f"lightning.pytorch.{group.rstrip('s')}s.{kind.__name__}"
                )


def refuse_targets_of_a_folder(folder: object, settings: TrainSettings) -> None:
    """Refuse to make what only the config in a run's folder names: it may be somebody else's.

    Args:
        folder: of the run, for the message.
        settings: that it holds.

    Raises:
        SettingsError: it names such a callback or logger.
    """
    for group, named in (("callbacks", settings.callbacks), ("logger", settings.logger)):
        for name, options in named.items():
            if is_target(options):
                raise SettingsError(
                    f"resume: got {folder}, whose config has {group}.{name}.{TARGET}={options[TARGET]}, expected "
                    f"the run's own command line with output={folder} resume=auto: code is named by the command "
                    "line and its configs alone, not by a folder"
                )
