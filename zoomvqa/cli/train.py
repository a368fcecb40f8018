"""`train.py` and `zoomvqa-train`: train one branch."""

from __future__ import annotations

import shutil
from pathlib import Path

from zoomvqa.cli.app import run
from zoomvqa.console import say
from zoomvqa.data.labelled_set import LabelledSet, load_set
from zoomvqa.errors import SettingsError
from zoomvqa.ladder.demo import build_demo
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.data import DataSettings


def main() -> None:
    """Run the command."""
    run("train", TrainSettings, _train)


def labelled_set(settings: DataSettings) -> LabelledSet:
    """Return the set that `settings` name; the demo's is built first where it is not there yet."""
    if settings.name == "demo":
        build_demo(Path(settings.root))
    return load_set(settings)


def _train(settings: TrainSettings) -> float:
    from zoomvqa.training.run import train  # noqa: PLC0415  Lightning is slow to import; mistakes should show fast

    output = Path(settings.output)
    if (output / "checkpoints").exists() and _first_process():
        if not settings.overwrite:
            raise SettingsError(f"output: {output} already holds a run; give another output= or overwrite=true")
        shutil.rmtree(output / "checkpoints")
    figures = train(settings, labelled_set(settings.data))
    say(
        f"Validation: SRCC {figures.srcc:.4f}  PLCC {figures.plcc:.4f}  KRCC {figures.krcc:.4f}  "
        f"RMSE {figures.rmse:.4f}  ({figures.videos} videos)"
    )
    return float(figures.selection)


def _first_process() -> bool:
    import os  # noqa: PLC0415

    return os.environ.get("LOCAL_RANK", "0") == "0"
