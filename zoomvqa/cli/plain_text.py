"""Values of the command line that are plain text: names of files, with any character in them, and patterns."""

from __future__ import annotations

import os
import re

# Keys whose values are plain text. Those of the second and third kind may also hold a list, or a mapping.
_TEXT = re.compile(
    r"input|output|labels|sources|weights\.source|resume|iqa|vqa|annotations|branch\.loading\.cache_folder"
    r"|data\.(sets\.\w+\.)?(root|content_pattern)"
)
_LISTS = re.compile(r"ckpt|predictions")
_MAPPINGS = re.compile(r"data\.(sets\.\w+\.)?annotations")
# One text in quotes of Hydra's own, and an expression that it resolves.
_QUOTED = re.compile(r"""'([^'\\]|\\.)*'|"([^"\\]|\\.)*\"""", re.DOTALL)
_EXPRESSION = re.compile(r"\$\{[\w.:,%/ -]+\}")


def plain_text(argument: str, *, sweeping: bool = False, command: str = "train") -> str:
    """Quote the value of a key that takes any text, so that `input=[a] (1).mp4` needs no quotes of Hydra's own.

    What Hydra is to read stays: `null`, a text in quotes, an expression such as `${seed}`, lists and mappings
    where the key has such, and with `-m` everything, for a comma is a sweep there. A file of exactly that name
    comes first.

    Args:
        argument: `key=value`.
        sweeping: whether the command line asks for several runs.
        command: whose argument it is; `weights` of train.py alone has a short form.
    """
    key, equals, value = argument.partition("=")
    if key == "weights" and command == "train":  # the short form of what is mostly wanted
        key = "weights.source"
        argument = f"{key}={value}"
    kind = next((kind for kind in (_TEXT, _LISTS, _MAPPINGS) if kind.fullmatch(key.lstrip("+"))), None)
    if not equals or kind is None or sweeping or value in {"", "null", "???"}:
        return argument
    there = _exists(value)
    if not there and (_QUOTED.fullmatch(value) or _is_nested(value, kind)):
        return argument
    text = os.path.expanduser(value)  # noqa: PTH111  leaves what names no user, where pathlib gives up
    pattern = key.endswith("content_pattern")
    if "${" in text and (there or pattern or not _EXPRESSION.search(text)):
        text = text.replace("${", "\\${")
    return f"{key}={quoted(text)}"


def quoted(text: str) -> str:
    """Return a text in quotes as Hydra reads them: backslashes are doubled before a quote, and at the end only."""
    escaped = re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{escaped}'"


def _is_nested(value: str, kind: re.Pattern[str]) -> bool:
    """Tell whether a value is a list, or a mapping, that the key has instead of a text."""
    pair = {_LISTS: "[]", _MAPPINGS: "{}"}.get(kind)
    return pair is not None and value[0] == pair[0] and value[-1] == pair[1]


def _exists(value: str) -> bool:
    try:
        return os.path.lexists(value)
    except ValueError:  # a name that no file can have
        return False
