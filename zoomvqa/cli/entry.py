"""Where the commands start: `--help` is answered before what a command needs is imported."""

from __future__ import annotations

import sys
from importlib import import_module

from zoomvqa.cli.help import asked_for_help, tell_help
from zoomvqa.errors import SettingsError


def start(name: str) -> None:
    """Run a command, or tell its help.

    Args:
        name: of the command's module and config.
    """
    if not asked_for_help(sys.argv[1:]):
        import_module(f"zoomvqa.cli.{name}").main()
        return
    try:
        tell_help(name, sys.argv[1:], sys.argv[0])
    except SettingsError as error:
        sys.exit(_refused(error))


def _refused(error: SettingsError) -> int:
    sys.stderr.write(f"error: {error}\n")
    return 2


def train() -> None:
    """`zoomvqa-train`."""
    start("train")


def predict() -> None:
    """`zoomvqa-predict`."""
    start("predict")


def evaluate() -> None:
    """`zoomvqa-evaluate`."""
    start("evaluate")


def check_data() -> None:
    """`zoomvqa-check-data`."""
    start("check_data")


def extract_frames() -> None:
    """`zoomvqa-extract-frames`."""
    start("extract_frames")


def make_ladder() -> None:
    """`zoomvqa-make-ladder`."""
    start("make_ladder")
