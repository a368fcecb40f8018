"""Registries of kinds, and plugins that add to them."""

from importlib.metadata import EntryPoint
from typing import Literal

import pytest

from zoomvqa import extensions
from zoomvqa.errors import SettingsError
from zoomvqa.registry import LOSSES, VIEWS, Registry
from zoomvqa.settings.base import Settings
from zoomvqa.settings.loss import loss_settings
from zoomvqa.settings.registry import plugins_of
from zoomvqa.settings.vqa import ClipView


class Round(Settings):
    kind: Literal["round"] = "round"
    radius: float = 1.0


def registry(**options) -> Registry:
    made = Registry("shape", **options)

    @made.register("round", Round)
    def make(settings: Round, by: float) -> float:
        return settings.radius * by

    return made


def test_a_kind_is_built_from_its_settings():
    shapes = registry()
    settings = shapes.settings({"kind": "round", "radius": 2.0}, "branch.shape")
    assert settings == Round(radius=2.0)
    assert shapes.build(settings, 3.0) == 6.0
    assert shapes.settings(settings, "branch.shape") is settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "rund"}, r"branch.shape.kind: got 'rund', expected one of round \(did you mean 'round'\?\)"),
        ({}, "branch.shape.kind: a value is missing; expected one of round"),
        (7, "branch.shape: got 7, expected settings of its own, such as branch.shape.kind=…"),
        ({"kind": "round", "radios": 1}, r"branch.shape.radios: unknown key \(did you mean 'radius'\?\)"),
    ],
)
def test_mistakes(values, message):
    with pytest.raises(SettingsError, match=message):
        registry().settings(values, "branch.shape")


def test_a_name_is_registered_once():
    shapes = registry()
    with pytest.raises(ValueError, match="shape 'round' is registered already, by test_registry"):
        shapes.register("round", Round)(lambda settings: settings)


def test_what_another_loss_has_by_default_is_left_out():
    """A command line that names another loss still has what the config says of the one before."""
    assert loss_settings("plcc", rank_weight=0.3) == loss_settings("plcc")
    with pytest.raises(SettingsError, match="branch.loss.rank_weight: unknown key"):
        loss_settings("plcc", rank_weight=0.4)
    with pytest.raises(SettingsError, match="branch.view.crop: unknown key"):
        VIEWS.settings({"kind": "whole", "crop": 320}, "branch.view")


def test_plugins_are_named_for_what_they_have_registered():
    assert plugins_of((VIEWS, ClipView()), (LOSSES, loss_settings("l1"))) == ()
    assert plugins_of((registry(), Round())) == ("test_registry",)


def test_installed_plugins_are_imported(monkeypatch, tmp_path):
    (tmp_path / "installed_plugin.py").write_text("imported = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("mine", "installed_plugin", extensions.GROUP)
    monkeypatch.setattr(extensions, "entry_points", lambda group: [point] if group == extensions.GROUP else [])
    extensions.import_plugins([])
    import installed_plugin

    assert installed_plugin.imported
