"""What a command line asks for: checked before Hydra acts on it, so that what is wrong is said in our words."""

from __future__ import annotations

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
from zoomvqa.cli.plain_text import quoted
from zoomvqa.errors import SettingsError, nearest


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
    _parsed(overrides)
    for variant in _variants(overrides) if is_sweep(arguments) else [overrides]:
        yield _compose(name, variant)


def is_sweep(arguments: list[str]) -> bool:
    """Tell whether a command line asks for several runs."""
    asked = "-m" in arguments or "--multirun" in arguments
    return asked or any(a.startswith("hparams_search=") and a != "hparams_search=null" for a in arguments)


def sweep_folder(arguments: list[str]) -> list[str]:
    """Return a command line with `output=FOLDER` of a sweep as the folder that all its jobs' folders lie in.

    Raises:
        SettingsError: the folder is given twice, or differs from job to job.
    """
    given = [a for a in arguments if a.startswith("output=")]
    if not given or not is_sweep(arguments):
        return arguments
    if others := [a for a in arguments if a.startswith("hydra.sweep.dir=")]:
        raise SettingsError(
            f"output: got {given[-1].partition('=')[2]} beside {others[0]}, expected one of them: both name the "
            "sweep's folder"
        )
    if any(override.is_sweep_override() for override in _parsed(given)):
        raise SettingsError(
            f"output: got {given[-1].partition('=')[2]}, expected one folder: each job of a sweep has one of its "
            "own in it"
        )
    return [f"hydra.sweep.dir={a.partition('=')[2]}" if a in given else a for a in arguments]


def _parsed(overrides: list[str]) -> list[Override]:
    """Return the overrides as Hydra reads them.

    Raises:
        SettingsError: one does not follow its grammar.
    """
    parser, parsed = OverridesParser.create(), []
    for text in overrides:
        try:
            parsed.append(parser.parse_override(text))
        except HydraException:
            raise SettingsError(_unreadable(parser, text)) from None
    return parsed


def _unreadable(parser: OverridesParser, text: str) -> str:
    """Say which value Hydra cannot read, and how it is written."""
    key, _, value = text.partition("=")
    better = f"{key}={quoted(value)}"
    try:
        parser.parse_override(better)
    except HydraException:  # what is wrong is the key
        return f"{key}: this is no name of a key"
    within = better.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    kinds = {"[": "a list such as [a,b], or ", "{": "a mapping such as {a: b}, or "}
    expected = f"{kinds.get(value[:1], '')}quotes around a text with such characters"
    return f'{key}: got {value}, expected {expected}: "{within}"'


def _variants(overrides: list[str]) -> list[list[str]]:
    """Return the overrides with each choice of each sweep taken once, the other sweeps at their first."""
    parsed = _parsed(overrides)
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
