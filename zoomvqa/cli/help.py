"""`--help`: what a command does, examples, and every key with its comment in the configs."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from zoomvqa.cli.comments import Commented, Key, read_comments, read_group
from zoomvqa.cli.config_folders import choices, config_folders, option, searched
from zoomvqa.cli.examples import EXAMPLES
from zoomvqa.errors import SettingsError

# What is told of Hydra's own options.
_OPTIONS = [
    ("--cfg job", "print the config that the command line comes to, and do nothing"),
    ("--config-dir DIR", "a folder of configs of your own, in folders of groups such as DIR/data/mine.yaml"),
    ("--config-name NAME", "a main config of your own, DIR/NAME.yaml, instead of the command's"),
    ("-m", "a sweep: key=a,b runs every combination (train.py alone)"),
    ("--hydra-help", "Hydra's further options"),
]
_WIDEST = 110
# Groups whose keys are told: those of the choice that is made.
_TOLD = ("branch", "data", "trainer", "logger", "protocol", "probe")


def asked_for_help(arguments: Sequence[str]) -> bool:
    """Tell whether a command line asks for help."""
    return "--help" in arguments or "-h" in arguments


def tell_help(name: str, arguments: Sequence[str], program: str) -> None:
    """Print the help of a command.

    Args:
        name: of its config.
        arguments: of the command line: `branch=vqa --help` tells the keys of that branch.
        program: what the command was started as.

    Raises:
        SettingsError: a folder of configs, or the main config, is not there.
    """
    main = (option(arguments, "--config-name", "-cn") or name).removesuffix(".yaml")
    folders = config_folders(searched(main, arguments))
    about = _main(name, main, folders)
    start = f"python {os.path.relpath(program)}" if program.endswith(".py") else Path(program).name
    lines = [*about.about, "", "Examples:"]
    for example, told in EXAMPLES[name]:
        lines += [f"  {start} {example}", *_wrapped(told, 6)]
    lines += ["", "Options:"]
    for written, told in _OPTIONS:
        lines += _entry(written, told)
    chosen = _chosen(about, arguments)
    if about.choices:
        lines += ["", "Choices, as group=name; what stands here is taken where nothing is said:"]
    for group, key in about.choices.items():
        others = [name for name in choices(group, folders) if not re.search(rf"\b{name}\b", key.told)]
        lines += _entry(f"{group}={key.value}", f"{key.told}{'; also ' if others else ''}{', '.join(others)}")
    lines += ["", "Keys, as key=value; what stands here is taken where nothing is said, ??? must be given:"]
    lines += _keys(about.keys, "")
    for group in (g for g in chosen if g in _TOLD):
        for one in chosen[group]:
            found = read_group(group, one, folders)
            if found.keys:
                lines += ["", *_wrapped(f"Keys with {group}={one}. {' '.join(found.about)}", 0)]
                lines += _keys(found.keys, "" if found.whole else f"{group}.")
    sys.stdout.write("\n".join(lines) + "\n")


def _main(name: str, main: str, folders: Sequence[Path]) -> Commented:
    """Return what the main config says; one of the user's is taken as built on the command's."""
    ours = read_comments(folders[0] / f"{name}.yaml")
    if main == name:
        return ours
    path = next((path for folder in folders if (path := folder / f"{main}.yaml").is_file()), None)
    if path is None:
        raise SettingsError(f"--config-name: got '{main}', expected the name of a config without .yaml")
    own = read_comments(path)
    keys = ours.keys | {
        dotted: Key(k.value, k.told or ours.keys.get(dotted, k).told) for dotted, k in own.keys.items()
    }
    return Commented(own.about or ours.about, ours.choices | own.choices, keys, whole=True)


def _chosen(about: Commented, arguments: Sequence[str]) -> dict[str, list[str]]:
    """Return what is chosen of each group, by the command line or else by the config."""
    given = dict(a.split("=", 1) for a in arguments if "=" in a and not a.startswith("-"))
    found = {}
    for group, key in about.choices.items():
        values = given.get(group, key.value).strip("[]").split(",")
        found[group] = [v.strip() for v in values if v.strip() not in {"", "null"}]
    return found


def _keys(keys: dict[str, Key], prefix: str) -> list[str]:
    lines: list[str] = []
    for dotted, key in keys.items():
        if key.value == "" and not key.told:  # what it is for stands with the keys below it
            continue
        lines += _entry(f"{prefix}{dotted}={key.value}" if key.value else f"{prefix}{dotted}", key.told)
    return lines


def _entry(written: str, told: str) -> list[str]:
    """Return what is written, and below it what it is for."""
    return [f"  {written}", *_wrapped(told, 6)]


def _wrapped(told: str, indent: int) -> list[str]:
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    space = " " * indent
    return textwrap.wrap(told, max(width, 40), initial_indent=space, subsequent_indent=space)
