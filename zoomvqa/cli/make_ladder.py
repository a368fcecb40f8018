"""`scripts/make_ladder.py`: a labelled set from pristine videos, without human ratings."""

from __future__ import annotations

from pathlib import Path

from zoomvqa.cli.app import OK, run
from zoomvqa.console import say
from zoomvqa.ladder.build import Plan, build_ladder
from zoomvqa.ladder.demo import build_demo
from zoomvqa.ladder.sources import folder_sources
from zoomvqa.settings.commands import LadderSettings


def main() -> None:
    """Run the command."""
    run("make_ladder", LadderSettings, _make)


def _make(settings: LadderSettings) -> int:
    output = Path(settings.output).expanduser()
    if settings.sources == "demo":
        table = build_demo(output)
    else:
        plan = Plan(**settings.model_dump(exclude={"sources", "output"}))
        sources = folder_sources(Path(settings.sources).expanduser(), output)
        table = build_ladder(sources, output, plan)
    say(f"{table}: train on it with data=folder data.root={output} data.annotations={table}")
    return OK
