"""What a person sees: lines, tables and progress bars, on standard error so that output can be piped."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from zoomvqa.processes import is_first_process

console = Console(stderr=True, soft_wrap=True, highlight=False)


def say(message: str) -> None:
    """Print a line, on the first of several processes only."""
    if is_first_process():
        console.print(message, markup=False)


def progress() -> Progress:
    """Return a progress bar with counts and times.

    Without a terminal only its end is printed; of several processes only the first has one.
    """
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    return Progress(*columns, console=console, disable=not is_first_process())


def byte_progress() -> Progress:
    """Return a progress bar of a download."""
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    ]
    return Progress(*columns, console=console, disable=not is_first_process())
