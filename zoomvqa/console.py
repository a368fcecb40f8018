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


def printable(text: str) -> str:
    """Return a text that does nothing to a terminal: names of files may hold any bytes."""
    told = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in told)


def say(message: str) -> None:
    """Print a line, on the first of several processes only."""
    if is_first_process():
        console.print(printable(message), markup=False)


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
