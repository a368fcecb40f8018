"""The base of all settings and the one-line explanation of what is wrong with a config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from zoomvqa.errors import SettingsError, nearest


class Settings(BaseModel):
    """Settings that cannot be changed after they were checked; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


S = TypeVar("S", bound=Settings)


def check(kind: type[S], values: Mapping[str, Any], prefix: str = "") -> S:
    """Return `values` as settings of `kind`.

    Args:
        kind: the settings class.
        values: plain dicts, lists, numbers and strings, as they come from a config or a checkpoint.
        prefix: dotted key under which `values` stands, for the message.

    Raises:
        SettingsError: one line naming the key, what came, what was expected and the nearest valid choice.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise SettingsError(_explain(kind, error, prefix)) from None


def _explain(kind: type[BaseModel], error: ValidationError, prefix: str) -> str:
    # An unknown key is named first: the missing or odd value beside it is mostly its consequence.
    problems = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    paths = [[part for part in e["loc"] if not _is_union_tag(part)] for e in problems]
    first, path = problems[0], paths[0]
    key = ".".join([*([prefix] if prefix else []), *(str(part) for part in path)])
    others = len({tuple(p) for p in paths}) - 1
    more = f" (and {others} more)" if others else ""
    if first["type"] == "extra_forbidden":
        known = _keys_at(kind, path[:-1])
        return f"{key}: unknown key{nearest(str(path[-1]), known)}; known here: {', '.join(known)}{more}"
    if first["type"] == "missing":
        return f"{key}: a value is missing{more}"
    expected = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    choices = first.get("ctx", {}).get("expected", "")
    hint = nearest(str(first["input"]), [c.strip("' ") for c in choices.replace(" or ", ",").split(",")])
    return f"{key}: got {first['input']!r}, expected {expected}{hint}{more}"


def _is_union_tag(part: object) -> bool:
    """Tell whether a part of an error's location is pydantic's name for a union's member, not a key."""
    return isinstance(part, str) and re.search(r"^(constrained-)?(int|float|str|bool|none)$|\[", part) is not None


def _keys_at(kind: type[BaseModel], path: list[Any]) -> list[str]:
    for part in path:
        field = kind.model_fields.get(str(part))
        inner = getattr(field, "annotation", None)
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            members = [m for m in getattr(inner, "__args__", ()) if isinstance(m, type)]
            inner = next((m for m in members if issubclass(m, BaseModel)), None)
        if inner is None:
            return []
        kind = inner
    return list(kind.model_fields)
