"""A logger whose package is not there ends in one line."""

from types import SimpleNamespace

import pytest

from zoomvqa.errors import ToolError
from zoomvqa.training import fitting


def test_missing_package(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise ModuleNotFoundError("tensorboard is not installed")

    monkeypatch.setattr(fitting, "TensorBoardLogger", refuse)
    with pytest.raises(ToolError, match="logger=tensorboard: tensorboard is not installed"):
        fitting._loggers(SimpleNamespace(output="run", logger={"tensorboard": {}}), {})
