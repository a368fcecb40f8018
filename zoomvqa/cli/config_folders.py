"""Where configs lie: the project's own folder, and those that the user adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import zoomvqa
from zoomvqa.errors import SettingsError

SEARCHPATH = "hydra.searchpath="


def config_folder() -> Path:
    """Return the folder of the configs: inside an installed package, beside it in a clone."""
    package = Path(zoomvqa.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def option(arguments: Sequence[str], *names: str) -> str | None:
    """Return the value of an option of Hydra's, `--config-dir X` or `--config-dir=X`; None where it is not given.

    Args:
        arguments: of the command line.
        names: of the option, such as `--config-dir` and `-cd`.
    """
    for number, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else next(iter(arguments[number + 1 :]), "")
    return None


def searched(name: str, arguments: Sequence[str]) -> list[str]:
    """Return the places of configs that the user adds, as Hydra writes them: `file://FOLDER`, `pkg://PACKAGE`.

    They come from `--config-dir`, from `hydra.searchpath=[…]`, or from the main config where that is the user's.

    Args:
        name: of the main config.
        arguments: of the command line.

    Raises:
        SettingsError: a folder is not there.
    """
    places = []
    if (given := option(arguments, "--config-dir", "-cd")) is not None:
        if not given or not Path(given).is_dir():
            raise SettingsError(f"--config-dir: got '{given}', expected a folder: there is none of this name")
        places.append(f"file://{Path(given).resolve()}")
    asked = [a for a in arguments if a.lstrip("+").startswith(SEARCHPATH)]
    for place in _of_overrides(asked) if asked else _of_main_config(name, places):
        folder = _folder(place)
        if folder is not None and not folder.is_dir():
            raise SettingsError(
                f"hydra.searchpath: got '{place}', expected folders, as [file:///home/me/conf]: there is no such "
                "folder"
            )
        places.append(place)
    return places


def config_folders(places: Iterable[str]) -> list[Path]:
    """Return the folders that configs are looked for in: ours first, for it comes first for Hydra, too."""
    return [config_folder(), *(folder for place in places if (folder := _folder(place)) is not None)]


def _folder(place: str) -> Path | None:
    """Return the folder that a place is; None for a package."""
    return None if "://" in place and not place.startswith("file://") else Path(place.removeprefix("file://"))


def _of_overrides(overrides: Iterable[str]) -> list[str]:
    from hydra.core.override_parser.overrides_parser import OverridesParser  # noqa: PLC0415  help does without
    from hydra.errors import HydraException  # noqa: PLC0415

    found: list[str] = []
    for text in overrides:
        try:
            value = OverridesParser.create().parse_override(text).value()
        except HydraException:  # told with the other overrides
            continue
        found += [str(place) for place in (value if isinstance(value, list) else [value])]
    return found


def _of_main_config(name: str, places: Iterable[str]) -> list[str]:
    """Return what a main config of the user's says under `hydra.searchpath`."""
    from omegaconf import OmegaConf  # noqa: PLC0415  help does without

    for folder in config_folders(places)[1:]:
        if (path := folder / f"{name}.yaml").is_file():
            try:
                found = OmegaConf.select(OmegaConf.load(path), "hydra.searchpath")
            except Exception:  # noqa: BLE001  what a damaged file ends in is the YAML reader's; told when composed
                return []
            return [str(place) for place in found or []]
    return []


def choices(group: str, folders: Iterable[Path]) -> list[str]:
    """Return the names that a group of configs has in some folders; names that begin with `_` are no choices."""
    return sorted(
        {
            path.relative_to(folder / group).with_suffix("").as_posix()
            for folder in folders
            for path in (folder / group).rglob("[!_]*.yaml")
        }
    )
