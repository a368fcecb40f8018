"""Runs a command under Hydra: settings are checked first, a user's mistake ends in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

import zoomvqa
from zoomvqa.cli import sweep
from zoomvqa.cli.config_folders import config_folder
from zoomvqa.cli.open_keys import open_key
from zoomvqa.cli.overrides import compositions, first_line, is_sweep, options_first, sweep_folder
from zoomvqa.cli.plain_text import plain_text
from zoomvqa.cli.several_sets import expand_sets
from zoomvqa.console import console, printable
from zoomvqa.errors import SettingsError, UserError, ZoomVQAError
from zoomvqa.extensions import import_plugins
from zoomvqa.files import no_room
from zoomvqa.internals.messages import unknown_home, worker_s_line
from zoomvqa.parent import end_with_launcher
from zoomvqa.settings.base import Settings, check
from zoomvqa.streams import steady_streams

S = TypeVar("S", bound=Settings)
OK, SOME_FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130


class Result(NamedTuple):
    """What a command comes to.

    Attributes:
        value: what a Hydra sweeper optimises.
        code: the exit code.
    """

    value: float
    code: int


def run(name: str, kind: type[S], body: Callable[[S], Any]) -> None:
    """Run `body` with the settings of `<name>.yaml` and the command line, and exit with its code.

    `body` returns an exit code, the value that a Hydra sweeper optimises, or both as a `Result`. Exit codes:
    0 done, 1 done in part, 2 a mistake of the user's, 130 interrupted.
    """
    with steady_streams():
        sys.exit(_code(name, kind, body))


def _code(name: str, kind: type[S], body: Callable[[S], Any]) -> int:
    """Run a command and return its exit code."""
    codes, sweep.unfinished = [OK], 0
    end_with_launcher()
    _find_programs()
    plugins = Path(zoomvqa.__file__).parent / "plugins"
    if plugins.is_dir() and str(plugins) not in sys.path:  # a clone that is not installed
        sys.path.append(str(plugins))
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors outside a job come to us too, instead of being printed

    def job(config: DictConfig) -> Any:
        if HydraConfig.get().mode == RunMode.MULTIRUN and "output" in config:
            config.output = HydraConfig.get().runtime.output_dir  # each job of a sweep has a folder of its own
        result = _guarded(lambda: body(_settings(kind, config)), codes, str(config.get("output", "")))
        value = result.value if isinstance(result, Result) else result
        return value if isinstance(value, float) else None

    def checked() -> bool:
        given = expand_sets(sys.argv[1:])
        sys.argv[1:] = [plain_text(text, sweeping=is_sweep(given), command=name) for text in given]
        if name == "train":
            sys.argv[1:] = [open_key(argument) for argument in sys.argv[1:]]
        elif is_sweep(sys.argv[1:]):
            raise SettingsError("-m: only train.py sweeps")
        sys.argv[1:] = options_first(sweep_folder(sys.argv[1:]))
        return _check(name, kind, sys.argv[1:])

    if _guarded(checked, codes) is not None:
        start = hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=name)(job)
        _guarded(start, codes)
        codes += [SOME_FAILED] * min(1, sweep.unfinished)
    return max(codes)


def _find_programs() -> None:
    """Have the programs beside this Python, such as ninja, be found, and the system's where there is no PATH."""
    folders = os.environ.get("PATH") or os.defpath
    beside = str(Path(sys.executable).parent)
    if beside not in folders.split(os.pathsep):
        folders = f"{folders}{os.pathsep}{beside}"
    os.environ["PATH"] = folders


def _guarded(work: Callable[[], Any], codes: list[int], place: str = "") -> Any:
    """Do some work; what goes wrong for a reason that can be named becomes one line and an exit code.

    Args:
        work: what is done.
        codes: exit codes, which that of this work is added to.
        place: where the work writes, for an error of a full disk that does not say which file.
    """
    try:
        result = work()
    except Exception as error:  # noqa: BLE001  what nobody expects is raised again
        message, code = _told(error, place)
        message = printable(message)
        console.print(f"error: {message}", markup=False, style="red" if console.is_terminal else None)
        codes.append(code)
        return None
    except KeyboardInterrupt:
        console.print("interrupted")
        codes.append(INTERRUPTED)
        return None
    code = result.code if isinstance(result, Result) else result
    if isinstance(code, int) and not isinstance(code, bool):
        codes.append(code)
    return result


def _told(error: Exception, place: str) -> tuple[str, int]:
    """Return a line for the user and an exit code; an error that nobody expects is raised again."""
    if isinstance(error, UserError):
        return str(error), USER_ERROR
    if isinstance(error, ZoomVQAError):  # out of a worker process it comes with a traceback before its last line
        return worker_s_line(error), SOME_FAILED
    if isinstance(error, HydraException):
        return first_line(error), USER_ERROR
    if full := no_room(error):
        told = full.filename or (f"{place} or the folder for temporary files" if place else "a file")
        return f"{told}: {full.strerror}", USER_ERROR
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        lines = str(error).splitlines() or [type(error).__name__]  # out of a worker process with a traceback
        return f"{named}{error.strerror or lines[-1]}", USER_ERROR
    if unknown_home(error):
        return "a path begins with ~ and the name of nobody here", USER_ERROR
    raise error


def _settings(kind: type[S], config: DictConfig) -> S:
    try:
        values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        if isinstance(error, MissingMandatoryValue):
            key = str(getattr(error, "full_key", "")) or "a key"
            raise SettingsError(f"{key}: a value is missing; give {key}=…") from None
        where, told = getattr(error, "full_key", None), str(error).splitlines() or [type(error).__name__]
        raise SettingsError(f"{where}: {told[0]}" if where else first_line(error)) from None
    assert isinstance(values, dict)  # noqa: S101  the root of a config is a mapping
    named = values.get("plugins")
    import_plugins(named if isinstance(named, list) else [])
    return check(kind, {str(k): v for k, v in values.items()})


def _check(name: str, kind: type[Settings], arguments: list[str]) -> bool:
    """Check the settings that a command line asks for, before Hydra acts on it."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        for config in compositions(name, arguments):
            _settings(kind, config)
    return True
