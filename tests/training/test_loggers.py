"""Loggers: what they are told, and mistakes in one line."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.logger import DummyLogger

from zoomvqa.calibration import Unit
from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.metrics import Figures
from zoomvqa.training import loggers
from zoomvqa.training.made import made_by


def test_missing_package(monkeypatch, tmp_path):
    def refuse(*_args, **_kwargs):
        raise ModuleNotFoundError("tensorboard is not installed")

    monkeypatch.setattr(loggers, "TensorBoardLogger", refuse)
    with pytest.raises(ToolError, match="logger=tensorboard: tensorboard is not installed"):
        loggers.build_loggers(tmp_path, {"tensorboard": {}}, {})


class Told(CSVLogger):
    """Stands in for a logger of a user's."""

    def __init__(self, folder):
        super().__init__(folder)
        self.hyperparams = []

    def log_hyperparams(self, params):
        self.hyperparams.append(params)


def named(logger, **options):
    with made_by(lambda *_: logger):
        return loggers.build_loggers(Path(), {"mine": {"_target_": "a.B"}}, {"seed": 1}, **options)


def test_a_logger_of_the_users_is_told_the_config(tmp_path):
    logger = Told(tmp_path)
    assert named(logger) == [logger]
    assert logger.hyperparams == [{"seed": 1}]
    named(logger, goes_on=True)
    assert len(logger.hyperparams) == 1


def test_one_that_cannot_start(tmp_path, monkeypatch):
    def refuse(*_):
        raise ConnectionError("no\nanswer")

    monkeypatch.setattr(Told, "log_hyperparams", refuse)
    with pytest.raises(SettingsError, match=r"logger\.mine: no answer"):
        named(Told(tmp_path))


def test_the_best_figures_go_to_all_but_tables():
    class Lines(DummyLogger):
        told = ()

        def log_metrics(self, *told):
            self.told = told

    lines = Lines()
    trainer = SimpleNamespace(loggers=[lines], global_step=7)
    loggers.log_best(trainer, Figures(0.5, 0.25, 0.125, 1.0, 9), Unit(known=False))
    assert lines.told == ({"best/selection": 0.375, "best/srcc": 0.5, "best/plcc": 0.25}, 7)
