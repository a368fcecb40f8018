"""A logger whose package is not there ends in one line."""

import pytest

from zoomvqa.errors import ToolError
from zoomvqa.training import loggers


def test_missing_package(monkeypatch, tmp_path):
    def refuse(*_args, **_kwargs):
        raise ModuleNotFoundError("tensorboard is not installed")

    monkeypatch.setattr(loggers, "TensorBoardLogger", refuse)
    with pytest.raises(ToolError, match="logger=tensorboard: tensorboard is not installed"):
        loggers.build_loggers(tmp_path, {"tensorboard": {}}, {})
