"""Callbacks and loggers that settings name by `_target_`."""

import pytest
from pydantic import Field, TypeAdapter

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import Settings, check
from zoomvqa.settings.targets import Callbacks, Loggers, is_target


class Some(Settings):
    callbacks: Callbacks = Field(default_factory=dict)
    logger: Loggers = Field(default_factory=dict)


@pytest.mark.parametrize("target", ["a.B", "a.b.C_1"])
def test_paths(target):
    assert is_target({"_target_": target, "x": 1})


@pytest.mark.parametrize("options", [None, {}, {"_target_": None}, {"_target_": "A"}, {"_target_": "a. b"}])
def test_no_paths(options):
    assert not is_target(options)


def test_they_are_kept_as_plain_data():
    values = {"mine": {"_target_": "a.B", "at": {"deep": [1, None, 2.5]}}}
    kept = check(Some, {"callbacks": values, "logger": values | {"csv": {}, "wandb": {"offline": True}}})
    assert kept.callbacks == values
    assert TypeAdapter(Some).validate_json(kept.model_dump_json()) == kept


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"callbacks": {"a": {}}},
            "callbacks.a: got {}, expected _target_, the dotted path of a class",
        ),
        ({"callbacks": {"a": {"_target_": "B"}}}, r"callbacks.a: got {'_target_': 'B'}, expected _target_"),
        ({"callbacks": {"a": 3}}, "callbacks.a: got 3, expected {key: value}"),
        ({"logger": {"wandbb": {}}}, r"logger.wandbb: got {}, expected csv, .* class \(did you mean 'wandb'\?\)"),
        ({"logger": {"csv": {"_target_": "x"}}}, r"logger.csv: got {'_target_': 'x'}, expected csv, tensorboard"),
        ({"logger": {"a": 3}}, "logger.a: got 3, expected {key: value}"),
    ],
)
def test_mistakes(values, message):
    with pytest.raises(SettingsError, match=message):
        check(Some, values)
