"""The keys of a YAML file with their comments: what `--help` tells. Needs nothing that is slow to import."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_KEY = re.compile(r"(?P<indent> *)(?P<item>- )?(?P<key>[\w/@. -]*\w):(?P<value>( .*)?)$")
# A comment behind a value; within quotes is none.
_TRAILING = re.compile(r"""(?P<value>(?:'[^']*'|"[^"]*"|(?! # ).)*) # (?P<told>.*)""")


class Key(NamedTuple):
    """A key of a config.

    Attributes:
        value: as it stands in the file; empty where the key has keys below it.
        told: its comment, on one line; empty where it has none.
    """

    value: str
    told: str


class Commented(NamedTuple):
    """What a YAML file says.

    Attributes:
        about: the comment at its top, line by line.
        choices: the entries of its defaults list: a group's name, what is chosen, and the comment.
        keys: by their dotted names.
        whole: whether the keys count from the root of the config, not from the file's group.
    """

    about: list[str]
    choices: dict[str, Key]
    keys: dict[str, Key]
    whole: bool


def read_comments(path: Path) -> Commented:
    """Return what a YAML file of block mappings says; what is in it below `hydra` is left out."""
    found = Commented([], {}, {}, whole="# @package _global_" in path.read_text(encoding="utf-8"))
    above: list[str] = []
    stack: list[tuple[int, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("#"):
            above += [] if text.startswith("# @package") else [text.removeprefix("#").strip()]
            continue
        if not found.about and not found.keys and not found.choices and not stack:
            found.about.extend(above)
            above = []
        key = _KEY.match(line)
        if key is None:
            above = []
            continue
        _add(found, stack, key, above)
        above = []
    return found


def _add(found: Commented, stack: list[tuple[int, str]], key: re.Match[str], above: Sequence[str]) -> None:
    """Add a line's key; `stack` holds the keys that it is below of, with their indents."""
    value, trailing = key["value"].strip(), _TRAILING.fullmatch(key["value"])
    if trailing:
        value = trailing["value"].strip()
    told = " ".join([*above, *([trailing["told"].strip()] if trailing else [])])
    indent = len(key["indent"])
    while stack and stack[-1][0] >= indent:
        stack.pop()
    names = [name for _, name in stack] + [key["key"]]
    if not key["item"]:
        stack.append((indent, key["key"]))
    if names[0] == "defaults":
        if key["item"] and not key["key"].startswith(("override ", "optional ")):
            found.choices[key["key"]] = Key(value, told)
    elif names[0] != "hydra" and not key["item"]:
        found.keys[".".join(names)] = Key(value, told)


def read_group(group: str, name: str, folders: Sequence[Path]) -> Commented:
    """Return what a choice of a group says, with the keys of the files that it is based on.

    Args:
        group: such as `data`.
        name: of the choice.
        folders: that configs are looked for in, in this order.
    """
    path = next((p for folder in folders if (p := folder / group / f"{name}.yaml").is_file()), None)
    if path is None:
        return Commented([], {}, {}, whole=False)
    own = read_comments(path)
    keys: dict[str, Key] = {}
    for base in re.findall(r"^  - /?(\w+)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE):
        keys |= read_group(group, base, folders).keys if base != "_self_" else {}
    for dotted, key in own.keys.items():
        before = keys.get(dotted, Key("", ""))
        keys[dotted] = Key(key.value, key.told or before.told)
    return own._replace(keys=keys)
