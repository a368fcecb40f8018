"""What a command line asks for: checked before Hydra acts on it, so that what is wrong is said in our words."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import zoomvqa
from zoomvqa.errors import SettingsError, nearest

# Keys whose values are names of files and folders, with any character in them.
TEXT_KEYS = {
    "input",
    "output",
    "ckpt",
    "sources",
    "branch.loading.cache_folder",
    "weights.source",
    "resume",
    "iqa",
    "vqa",
    "predictions",
    "annotations",
}
_TEXT = re.compile(r"data\.(sets\.\w+\.)?(root|annotations)")


def config_folder() -> Path:
    """Return the folder of the configs: inside an installed package, beside it in a clone."""
    package = Path(zoomvqa.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def compositions(name: str, arguments: list[str]) -> Iterator[DictConfig]:
    """Compose the config of a command line, before Hydra does; in a sweep with every single choice.

    Options of Hydra's own (`--help`, `--cfg`, …) are left to it.

    Args:
        name: of the config.
        arguments: of the command line.

    Raises:
        SettingsError: an argument is none, or asks for what is not there.
    """
    overrides = [a for a in arguments if (not a.startswith("-") and "=" in a) or a.startswith("~")]
    stray = [a for a in arguments if a not in overrides and not a.startswith("-")]
    if stray and not any(a.startswith("-") for a in arguments):
        raise SettingsError(f"{stray[0]}: expected key=value")
    left_to_hydra = {"--help", "-h", "--hydra-help", "--version", "-cd", "-cp", "-cn"}
    if any(a in left_to_hydra or a.startswith(("--config-", "--info")) for a in arguments):
        return
    for variant in _variants(overrides) if is_sweep(arguments) else [overrides]:
        yield _compose(name, variant)


def is_sweep(arguments: list[str]) -> bool:
    """Tell whether a command line asks for several runs."""
    asked = "-m" in arguments or "--multirun" in arguments
    return asked or any(a.startswith("hparams_search=") and a != "hparams_search=null" for a in arguments)


def plain_text(argument: str) -> str:
    """Quote the value of a key that takes any text, so that `input=a (1).mp4` needs no quotes of Hydra's own.

    Values that Hydra is to read (quoted, `{…}`, `[…]`, `${…}`, `null`, or a sweep over `a,b` with `-m`) stay.
    """
    key, equals, value = argument.partition("=")
    if key == "weights":  # the short form of what is mostly wanted
        key = "weights.source"
        argument = f"{key}={value}"
    if (
        not equals
        or not (key in TEXT_KEYS or _TEXT.fullmatch(key))
        or is_sweep(sys.argv)
        or value in {"", "null", "???"}
        or value[0] in "'\"{[$"
    ):
        return argument
    text = os.path.expanduser(value)  # noqa: PTH111  leaves what names no user, where pathlib gives up
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{escaped}'"


def _variants(overrides: list[str]) -> list[list[str]]:
    """Return the overrides with each choice of each sweep taken once, the other sweeps at their first."""
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException as error:
        raise SettingsError(first_line(error)) from None
    searching = any(text.startswith("hparams_search=") for text in overrides)
    choices = [
        _choices(override, text, searching=searching) for override, text in zip(parsed, overrides, strict=True)
    ]
    first = [c[0] for c in choices]
    variants = [first]
    for at, options in enumerate(choices):
        variants += [[*first[:at], option, *first[at + 1 :]] for option in options[1:]]
    return variants


def _choices(override: Override, text: str, *, searching: bool) -> list[str]:
    """Return an override with each value that it may take; of an interval its ends."""
    if not override.is_sweep_override():
        return [text]
    sweep_value, key = override.value(), override.get_key_element()
    if isinstance(sweep_value, IntervalSweep):
        if not searching:
            raise SettingsError(
                f"{key}: got {text.partition('=')[2]}, which only hparams_search=optuna goes through"
            )
        return [f"{key}={sweep_value.start}", f"{key}={sweep_value.end}"]
    return [f"{key}={choice}" for choice in override.sweep_string_iterator()]


def _compose(name: str, overrides: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            return compose(name, overrides, return_hydra_config=False)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise SettingsError(_in_our_words(name, overrides, error)) from None
    finally:
        GlobalHydra.instance().clear()


def _in_our_words(name: str, overrides: list[str], error: Exception) -> str:
    """Turn Hydra's message about a bad override into one line with the nearest valid choice."""
    text = str(error)
    groups = {p.name for p in config_folder().iterdir() if p.is_dir()}
    known = _known_keys(name, [o for o in overrides if _group(o) in groups])
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        group = _group(override)
        folder = config_folder() / group
        if group in groups:
            names = sorted(p.stem for p in folder.glob("[!_]*.yaml"))
            for choice in value.strip("[]").split(","):
                if choice.strip() not in {*names, "null", ""}:
                    hint = nearest(choice.strip(), names)
                    return f"{group}: got '{choice.strip()}', expected one of {', '.join(names)}{hint}"
        elif (
            not override.startswith("+")
            and key not in known
            and (f"'{key}'" in text or key.split(".")[-1] in text)
        ):
            return f"{key}: unknown key{nearest(key, known)}"
    return first_line(error)


def _group(override: str) -> str:
    """Return the config group that an override speaks of, as `data` in `+data@data.sets.lsvq=lsvq`."""
    return override.lstrip("+~").partition("=")[0].split("@")[0]


def _known_keys(name: str, choices: list[str]) -> list[str]:
    """Return the keys of the config with the user's choices of groups, or without them where they are wrong."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        try:
            config = compose(name, choices)
        except (HydraException, OmegaConfBaseException, ValueError):
            config = compose(name)
        return _dotted_keys(OmegaConf.to_container(config, resolve=False))


def _dotted_keys(values: Any, prefix: str = "") -> list[str]:
    if not isinstance(values, dict):
        return []
    keys = []
    for key, value in values.items():
        keys.append(f"{prefix}{key}")
        keys += _dotted_keys(value, f"{prefix}{key}.")
    return keys


def first_line(error: Exception) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
