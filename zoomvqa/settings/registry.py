"""Registries: named kinds of samplings, views, networks and losses, each with its own settings.

Plugins take them from `zoomvqa.registry`; the package's own kinds are in `zoomvqa.kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Generic, NamedTuple, TypeVar

from zoomvqa.errors import SettingsError, nearest
from zoomvqa.settings.base import Settings, check

Make = TypeVar("Make", bound=Callable[..., Any])


class Entry(NamedTuple):
    """A registered kind.

    Attributes:
        settings: the class of its settings, whose field `kind` (of losses: `name`) takes its name.
        make: builds it from them; what else it is given depends on the registry.
    """

    settings: type[Settings]
    make: Callable[..., Any]


class Registry(Generic[Make]):
    """Kinds of one sort by name.

    Args:
        what: of what the kinds are: the key of their settings below `branch`.
        tag: the field of their settings that has the name of the kind.
        lenient: leave out what a config says of another kind where that is its default: a command line that names
            another kind need not take it away.
    """

    def __init__(self, what: str, tag: str = "kind", *, lenient: bool = False) -> None:
        self.what, self._tag, self._lenient = what, tag, lenient
        self._entries: dict[str, Entry] = {}

    def register(self, name: str, settings: type[Settings]) -> Callable[[Make], Make]:
        """Return a decorator that registers what builds a kind.

        Args:
            name: of the kind, as configs and checkpoints have it.
            settings: the class of its settings; its field `kind` (of losses: `name`) must take the name.

        Raises:
            ValueError: another builder has that name already.
        """

        def registered(make: Make) -> Make:
            known = self._entries.get(name)
            if known is not None and (known.make.__module__, known.make.__qualname__) != (
                make.__module__,
                make.__qualname__,
            ):
                raise ValueError(f"{self.what} {name!r} is registered already, by {known.make.__module__}")
            self._entries[name] = Entry(settings, make)
            return make

        return registered

    def names(self) -> tuple[str, ...]:
        """Return the names of all kinds."""
        _register_own()
        return tuple(self._entries)

    def settings(self, values: Any, key: str) -> Settings:
        """Return plain values as the settings of the kind that they name.

        Args:
            values: a mapping with the key `kind`, or settings already.
            key: dotted key under which they stand, for messages.

        Raises:
            SettingsError: they name no kind that is known, or do not fit it.
        """
        if isinstance(values, Settings):
            return values
        if not isinstance(values, Mapping):
            raise SettingsError(
                f"{key}: got {values!r}, expected settings of its own, such as {key}.{self._tag}=…"
            )
        kind = self._entry(values.get(self._tag), key).settings
        return check(kind, self._without_others(kind, values) if self._lenient else values, key)

    def build(self, settings: Settings, *args: Any, **kwargs: Any) -> Any:
        """Return what the builder of a kind makes of its settings; further arguments are the builder's."""
        return self._entry(self._kind_of(settings), f"branch.{self.what}").make(settings, *args, **kwargs)

    def plugin_of(self, settings: Settings) -> str | None:
        """Return the module outside of this package that has registered a kind; None for the package's own."""
        module = self._entry(self._kind_of(settings), f"branch.{self.what}").make.__module__
        return None if module.partition(".")[0] == __name__.partition(".")[0] else module

    def _kind_of(self, settings: Settings) -> Any:
        return settings.model_dump(include={self._tag}).get(self._tag)

    def _without_others(self, kind: type[Settings], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values without those that other kinds have as their defaults."""
        usual: dict[str, list[Any]] = {}
        for entry in self._entries.values():
            for name, field in entry.settings.model_fields.items():
                usual.setdefault(name, []).append(field.default)
        own = kind.model_fields
        return {k: v for k, v in values.items() if k in own or v not in usual.get(k, [])}

    def _entry(self, kind: Any, key: str) -> Entry:
        names = self.names()
        if kind is None:
            raise SettingsError(f"{key}.{self._tag}: a value is missing; expected one of {', '.join(names)}")
        if kind not in self._entries:
            raise SettingsError(
                f"{key}.{self._tag}: got {kind!r}, expected one of {', '.join(names)}{nearest(str(kind), names)}"
            )
        return self._entries[kind]


def _register_own() -> None:
    """Have the package register its own kinds, once."""
    import_module("zoomvqa.kinds")


def plugins_of(*pairs: tuple[Registry[Any], Settings]) -> tuple[str, ...]:
    """Return the modules outside of this package that have registered the kinds of some settings, in order."""
    found = (registry.plugin_of(settings) for registry, settings in pairs)
    return tuple(sorted({module for module in found if module is not None}))


# Which frames of a video are looked at: settings -> zoomvqa.views.base.Sampling.
SAMPLINGS: Registry[Callable[..., Any]] = Registry("sampling")
# Which pixels of them: settings -> zoomvqa.views.base.View.
VIEWS: Registry[Callable[..., Any]] = Registry("view")
# Training losses: settings -> a function of (batch,) predictions and (batch,) MOS to a scalar.
LOSSES: Registry[Callable[..., Any]] = Registry("loss", "name", lenient=True)
# Networks: settings; what they take of one part, (1, …); and the name of weights of the network's own, `none`, or
# None where a file brings all of them -> zoomvqa.models.base.BranchNet.
NETWORKS: Registry[Callable[..., Any]] = Registry("network")
