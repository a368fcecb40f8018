"""Runs a command under Hydra: settings are checked first, a user's mistake ends in one line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import zoomvqa
from zoomvqa.console import console
from zoomvqa.errors import SettingsError, UserError, ZoomVQAError, nearest
from zoomvqa.settings.base import Settings, check

S = TypeVar("S", bound=Settings)
OK, SOME_FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130
# Keys whose values are names of files and folders, with any character in them.
_TEXT_KEYS = {
    "input",
    "output",
    "ckpt",
    "sources",
    "data.root",
    "data.annotations",
    "branch.loading.cache_folder",
    "weights.source",
    "resume",
    "iqa",
    "vqa",
}


def config_folder() -> Path:
    """Return the folder of the configs: inside an installed package, beside it in a clone."""
    package = Path(zoomvqa.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def run(name: str, kind: type[S], body: Callable[[S], Any]) -> None:
    """Run `body` with the settings of `<name>.yaml` and the command line, and exit with its code.

    `body` returns an exit code, or the value that a Hydra sweeper optimises. Exit codes: 0 done, 1 done in
    part, 2 a mistake of the user's, 130 interrupted.
    """
    codes = [OK]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors outside a job come to us too, instead of being printed
    sys.argv[1:] = [_plain_text(argument) for argument in sys.argv[1:]]

    def job(config: DictConfig) -> Any:
        if HydraConfig.get().mode == RunMode.MULTIRUN and "output" in config:
            config.output = HydraConfig.get().runtime.output_dir  # each job of a sweep has a folder of its own
        result = _guarded(lambda: body(_settings(kind, config)), codes)
        return result if isinstance(result, float) else None

    if _guarded(lambda: _check_command_line(name, kind, sys.argv[1:]), codes) is not None:
        start = hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=name)(job)
        _guarded(start, codes)
    sys.exit(max(codes))


def _guarded(work: Callable[[], Any], codes: list[int]) -> Any:
    try:
        result = work()
    except UserError as error:
        console.print(f"error: {error}", markup=False, style="red" if console.is_terminal else None)
        codes.append(USER_ERROR)
        return None
    except ZoomVQAError as error:  # out of a worker process it comes with a traceback before its last line
        message = re.sub(r"^zoomvqa\.errors\.\w+: ", "", str(error).splitlines()[-1])
        console.print(f"error: {message}", markup=False)
        codes.append(SOME_FAILED)
        return None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        console.print(f"error: {place}{error.strerror or error}", markup=False)
        codes.append(USER_ERROR)
        return None
    except KeyboardInterrupt:
        console.print("interrupted")
        codes.append(INTERRUPTED)
        return None
    if isinstance(result, int) and not isinstance(result, bool):
        codes.append(result)
    return result


def _settings(kind: type[S], config: DictConfig) -> S:
    try:
        values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        if "Missing mandatory value" in str(error):
            key = str(getattr(error, "full_key", "")) or "a key"
            raise SettingsError(f"{key}: a value is missing; give {key}=…") from None
        raise SettingsError(_first_line(error)) from None
    assert isinstance(values, dict)  # noqa: S101  the root of a config is a mapping
    return check(kind, {str(k): v for k, v in values.items()})


def _check_command_line(name: str, kind: type[Settings], arguments: list[str]) -> bool:
    """Compose the config once before Hydra does, so that what is wrong is said in our words.

    In a sweep every single choice is checked. Options of Hydra's own (`--help`, `--cfg`, …) are left to it.
    """
    overrides = [a for a in arguments if (not a.startswith("-") and "=" in a) or a.startswith("~")]
    stray = [a for a in arguments if a not in overrides and not a.startswith("-")]
    if stray and not any(a.startswith("-") for a in arguments):
        raise SettingsError(f"{stray[0]}: expected key=value")
    left_to_hydra = {"--help", "-h", "--hydra-help", "--version", "-cd", "-cp", "-cn"}
    if any(a in left_to_hydra or a.startswith(("--config-", "--info")) for a in arguments):
        return True
    sweeping = "-m" in arguments or "--multirun" in arguments
    if os.environ.get("LOCAL_RANK", "0") == "0":
        for variant in _variants(overrides) if sweeping else [overrides]:
            _settings(kind, _compose(name, variant))
    return True


def _plain_text(argument: str) -> str:
    """Quote the value of a key that takes any text, so that `input=a (1).mp4` needs no quotes of Hydra's own.

    Values that Hydra is to read (quoted, `{…}`, `[…]`, `${…}`, `null`, or a sweep over `a,b` with `-m`) stay.
    """
    key, equals, value = argument.partition("=")
    if key == "weights":  # the short form of what is mostly wanted
        key = "weights.source"
        argument = f"{key}={value}"
    sweeping = any(a in {"-m", "--multirun"} for a in sys.argv)
    if not equals or key not in _TEXT_KEYS or sweeping or value in {"", "null", "???"} or value[0] in "'\"{[$":
        return argument
    text = os.path.expanduser(value)  # noqa: PTH111  leaves what names no user, where pathlib gives up
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{escaped}'"


def _variants(overrides: list[str]) -> list[list[str]]:
    """Return the overrides with each choice of each sweep taken once, the other sweeps at their first."""
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException as error:
        raise SettingsError(_first_line(error)) from None
    choices = [
        [f"{o.get_key_element()}={c}" for c in o.sweep_string_iterator()] if o.is_sweep_override() else [text]
        for o, text in zip(parsed, overrides, strict=True)
    ]
    first = [c[0] for c in choices]
    variants = [first]
    for at, options in enumerate(choices):
        variants += [[*first[:at], option, *first[at + 1 :]] for option in options[1:]]
    return variants


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
    known = _known_keys(name, [o for o in overrides if o.partition("=")[0] in groups])
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        folder = config_folder() / key.split("@")[0]
        if key in groups:
            names = sorted(p.stem for p in folder.glob("[!_]*.yaml"))
            for choice in value.strip("[]").split(","):
                if choice.strip() not in {*names, "null", ""}:
                    hint = nearest(choice.strip(), names)
                    return f"{key}: got '{choice.strip()}', expected one of {', '.join(names)}{hint}"
        elif key not in known and (f"'{key}'" in text or key.split(".")[-1] in text):
            return f"{key}: unknown key{nearest(key, known)}"
    return _first_line(error)


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


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
