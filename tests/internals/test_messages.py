"""Texts of other libraries' errors, and what is told where they have changed."""

from pathlib import Path

import hydra
import pytest
from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue

from zoomvqa.cli import app, overrides
from zoomvqa.cli.overrides import compositions
from zoomvqa.errors import SettingsError
from zoomvqa.internals.messages import names_key, unknown_home, worker_s_line
from zoomvqa.settings import base
from zoomvqa.settings.commands import FuseSettings


def test_a_home_of_nobody(monkeypatch):
    with pytest.raises(RuntimeError) as error:
        Path("~nobody_is_called_so/a.csv").expanduser()
    assert unknown_home(error.value)
    assert app._told(error.value, "") == ("a path begins with ~ and the name of nobody here", app.USER_ERROR)
    assert not unknown_home(ValueError("home directory"))
    monkeypatch.setattr(app, "unknown_home", lambda _: False)  # another text: nothing is hidden
    with pytest.raises(RuntimeError):
        app._told(RuntimeError("no such user"), "")


def test_an_error_out_of_a_worker():
    told = (
        "Caught VideoError in DataLoader worker process 0.\nTraceback:\n  x\nzoomvqa.errors.VideoError: no frame\n"
    )
    assert worker_s_line(RuntimeError(told)) == "no frame"
    assert worker_s_line(RuntimeError("a\nother form: no frame")) == "other form: no frame"
    assert worker_s_line(RuntimeError()) == "RuntimeError"


def test_a_missing_value_has_a_class_of_its_own():
    with pytest.raises(MissingMandatoryValue):
        OmegaConf.to_container(OmegaConf.create({"a": "???"}), throw_on_missing=True)


def test_keys_are_in_the_error_or_in_its_text():
    bare = hydra.errors.HydraException("Something else is said")
    assert not names_key(bare, "trainer.epoch")
    bare.__cause__ = ConfigKeyError("x")
    bare.__cause__.full_key = "trainer.epoch"
    assert names_key(bare, "trainer.epoch")
    assert names_key(hydra.errors.HydraException("Could not override 'trainer.epoch'."), "trainer.epoch")


def test_a_text_of_hydra_s_that_names_no_key_is_told_as_it_is(monkeypatch):
    with pytest.raises(SettingsError, match=r"^overwrit: unknown key \(did you mean 'overwrite'\?\)$"):
        list(compositions("fuse", ["overwrit=true"]))
    monkeypatch.setattr(overrides, "names_key", lambda *_: False)
    with pytest.raises(SettingsError, match="overwrit") as error:
        list(compositions("fuse", ["overwrit=true"]))
    assert "\n" not in str(error.value)


def test_names_of_pydantic_s_that_are_not_known_are_told_beside_the_key(monkeypatch):
    wrong = {"output": "o", "weights": {"a": -1}}
    with pytest.raises(SettingsError, match=r"^weights\.a: got -1, expected"):
        base.check(FuseSettings, wrong)
    monkeypatch.setattr(base, "_is_union_tag", lambda _: False)
    with pytest.raises(SettingsError, match=r"^weights\..*\.a: got -1, expected") as error:
        base.check(FuseSettings, wrong)
    assert "\n" not in str(error.value)
