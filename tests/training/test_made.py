"""Callbacks and loggers that somebody else makes."""

import pytest
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.loggers import CSVLogger

from zoomvqa.errors import SettingsError
from zoomvqa.training.made import made_by, make_callbacks, make_logger

OPTIONS = {"_target_": "a.B"}


def test_they_are_made_anew_each_time():
    with made_by(lambda key, options: Timer()):
        first, second = make_callbacks({"a": OPTIONS, "b": OPTIONS})
        assert first is not second
        assert make_callbacks({"a": OPTIONS})[0] is not first


def test_the_maker_is_told_key_and_options(tmp_path):
    told = []
    with made_by(lambda *asked: told.append(asked) or CSVLogger(tmp_path)):
        make_logger("mine", OPTIONS)
    assert told == [("logger.mine", OPTIONS)]


def test_nothing_is_made_without_a_maker():
    assert make_callbacks({}) == []
    with pytest.raises(SettingsError, match="callbacks.a: got _target_=a.B, but nobody has said how to make it"):
        make_callbacks({"a": OPTIONS})


def test_what_is_made_is_of_the_right_kind():
    told = "callbacks.a._target_: got a.B, which makes a int, expected a subclass of lightning"
    with made_by(lambda *_: 3), pytest.raises(SettingsError, match=told):
        make_callbacks({"a": OPTIONS})
    told = "logger.a._target_: got a.B, which makes a Timer, expected a subclass of lightning"
    with made_by(lambda *_: Timer()), pytest.raises(SettingsError, match=told):
        make_logger("a", OPTIONS)
