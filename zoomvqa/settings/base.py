"""The base of all settings and the one-line explanation of what is wrong with a config."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from zoomvqa.errors import SettingsError, nearest


class Settings(BaseModel):
    """Settings that cannot be changed after they were checked; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return the keys that may be given, for the message about an unknown one."""
        return list(cls.model_fields)

    @classmethod
    def near_keys(cls) -> list[str]:
        """Return the keys out of which the nearest to an unknown one is named."""
        return cls.known_keys()


S = TypeVar("S", bound=Settings)
# Pydantic's names for kinds of values, as they are written on the command line.
_KINDS = {"dict_type": "{key: value}", "tuple_type": "a list such as [a,b]", "list_type": "a list such as [a,b]"}
# So much is told of a value that is wrong.
_LONG = 200


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


def _explain(kind: type[Settings], error: ValidationError, prefix: str) -> str:
    # An unknown key is named first: the missing or odd value beside it is mostly its consequence.
    problems = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    paths = [_keys_of(kind, e["loc"]) for e in problems]
    first, (path, at) = problems[0], paths[0]
    if first["type"].startswith("union_tag"):
        path = [*path, str(first["ctx"]["discriminator"]).strip("'")]
    key = ".".join([*([prefix] if prefix else []), *(str(part) for part in path)])
    others = len({tuple(p) for p, _ in paths}) - 1
    more = f" (and {others} more)" if others else ""
    if first["type"] == "extra_forbidden":
        known, near = (at.known_keys(), at.near_keys()) if at else ([], [])
        return f"{key}: unknown key{nearest(str(path[-1]), near)}; known here: {', '.join(known)}{more}"
    if first["type"] in {"missing", "union_tag_not_found"}:
        return f"{key}: a value is missing{more}"
    if first["type"] == "union_tag_invalid":
        came, expected = first["ctx"]["tag"], first["ctx"]["expected_tags"]
        choices = expected
    else:
        came = first["input"]
        expected = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        choices = first.get("ctx", {}).get("expected", "")
        expected = _KINDS.get(first["type"], expected)
        if first["type"] == "model_type":
            expected = f"settings of its own, such as {key}.{_first_key(kind, path)}=…"
    hint = nearest(str(came), [c.strip("' ") for c in choices.replace(" or ", ",").split(",")])
    return f"{key}: got {_short(came)}, expected {expected}{hint}{more}"


def _first_key(kind: type[BaseModel], path: Sequence[int | str]) -> str:
    """Return a key below a path of keys at which settings of their own are expected."""
    at: type[BaseModel] = kind
    for part in path:
        field = at.model_fields.get(str(part))
        inner = _models_in(field.annotation) if field else [at]
        at = inner[0] if inner else at
    return next(iter(at.model_fields))


def _short(came: Any) -> str:
    told = repr(came)
    return told if len(told) <= _LONG else f"{told[:_LONG]}…"


def _keys_of(kind: type[Settings], location: Sequence[int | str]) -> tuple[list[int | str], type[Settings] | None]:
    """Return the keys of an error's location without the names of a union's members, and what has the last."""
    keys: list[int | str] = []
    at: type[BaseModel] | None = kind
    holder: type[BaseModel] | None = kind
    members: list[type[BaseModel]] = []
    named = False
    for part in location:
        chosen = [m for m in members if part in _names_of(m)]
        if chosen:
            at, members = chosen[0], []
            continue
        if _is_union_tag(part):
            continue
        keys.append(part)
        if named:  # a key that the user has chosen, in a dict of models
            named = False
            continue
        holder = at
        field = at.model_fields.get(str(part)) if at else None
        inner = _models_in(field.annotation) if field else []
        members = inner if field and (field.discriminator or len(inner) > 1) else []
        named = field is not None and get_origin(field.annotation) is dict
        at = None if members or not inner else inner[0]
    return keys, holder if holder is not None and issubclass(holder, Settings) else None


def _names_of(member: type[BaseModel]) -> set[Any]:
    """Return what a location may call a member of a union: its class, or what tells it from the others."""
    tags = (member.model_fields[key].default for key in ("name", "kind") if key in member.model_fields)
    return {member.__name__, *tags}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models within a type, however deep in unions, dicts and annotations."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _is_union_tag(part: object) -> bool:
    """Tell whether a part of an error's location is pydantic's name for a union's member, not a key."""
    return isinstance(part, str) and re.search(r"^(constrained-)?(int|float|str|bool|none)$|\[", part) is not None
