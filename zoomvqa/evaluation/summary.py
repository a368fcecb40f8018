"""What the runs of a protocol come to: median, mean and spread, as a table."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from zoomvqa.console import console, say
from zoomvqa.files import whole_file

FIGURES = ("srcc", "plcc", "krcc", "rmse", "plcc_fit", "rmse_fit", "outlier_ratio")


class Row(NamedTuple):
    """One run's test.

    Attributes:
        split: number of the split.
        seed: of the training.
        figures: see `zoomvqa.metrics.Agreement`, as plain data.
        folder: of the run.
    """

    split: int
    seed: int
    figures: dict[str, Any]
    folder: str


def summarise(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return median, mean, std (of several, n − 1) and number of the runs that have a figure, for each figure."""
    found = {}
    for name in FIGURES:
        values = np.array([row.figures[name] for row in rows if row.figures.get(name) is not None], np.float64)
        if len(values):
            told = {"median": float(np.median(values)), "mean": float(values.mean())}
            spread = {"std": float(values.std(ddof=1))} if len(values) > 1 else {}
            found[name] = told | spread | {"runs": len(values)}
    return found


def write_summary(output: Path, rows: Sequence[Row], *, planned: int) -> None:
    """Write `protocol.csv`, a row a run, and `protocol.json` with the summary; both say whether they are complete.

    Args:
        output: the folder.
        rows: of the runs that are done.
        planned: how many there will be.
    """
    complete = len(rows) == planned
    status = "complete" if complete else f"partial: {len(rows)} of {planned} runs"
    with whole_file(output / "protocol.csv", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["split", "seed", "videos", "failed", *FIGURES, "folder", "table"])
        for row in rows:
            figures = ["" if row.figures.get(n) is None else f"{row.figures[n]:.6f}" for n in FIGURES]
            counts = [row.figures["videos"], row.figures["failed"]]
            writer.writerow([row.split, row.seed, *counts, *figures, row.folder, status])
    with whole_file(output / "protocol.json") as handle:
        told = {"runs": len(rows), "planned": planned, "complete": complete, "figures": summarise(rows)}
        json.dump(told, handle, indent=1)


def tell(rows: Sequence[Row], *, planned: int, title: str) -> None:
    """Print the runs and what they come to."""
    summary = summarise(rows)
    names = [name for name in FIGURES if name in summary]
    table = Table("split", "seed", "videos", *names, title=f"{title}: {len(rows)} of {planned} runs")
    for at, row in enumerate(rows):
        cells = ["" if row.figures.get(n) is None else f"{row.figures[n]:.4f}" for n in names]
        table.add_row(
            str(row.split), str(row.seed), str(row.figures["videos"]), *cells, end_section=at == len(rows) - 1
        )
    for what in ("median", "mean", "std"):
        table.add_row(what, "", "", *(f"{summary[n][what]:.4f}" if what in summary[n] else "–" for n in names))
    console.print(table)
    for note in sorted({note for row in rows for note in row.figures["notes"]}):
        say(f"In some runs: {note}")
    if failed := sum(row.figures["failed"] for row in rows):
        say(f"{failed} test videos could not be scored; they are in no figure")
