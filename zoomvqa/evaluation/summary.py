"""What the runs of a protocol come to: median, mean and spread, as a table."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.markup import escape
from rich.table import Table

from zoomvqa.console import console, say
from zoomvqa.files import whole_file

FIGURES = ("srcc", "plcc", "krcc", "rmse", "plcc_fit", "rmse_fit", "outlier_ratio")


class Row(NamedTuple):
    """One run's test.

    Attributes:
        split: number of the split.
        seed: of the training.
        figures: see `zoomvqa.metrics.Agreement`, as plain data; of a run that failed, its `error` alone.
        folder: of the run.
    """

    split: int
    seed: int
    figures: dict[str, Any]
    folder: str

    @property
    def error(self) -> str:
        """Why the run failed; empty where it did not."""
        return str(self.figures.get("error", ""))


def summarise(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return median, mean, std (of several, n − 1) and number of the runs that have a figure, for each figure."""
    found = {}
    for name in FIGURES:
        values = np.array([run[name] for run in runs if run.get(name) is not None], np.float64)
        if len(values):
            told = {"median": float(np.median(values)), "mean": float(values.mean())}
            spread = {"std": float(values.std(ddof=1))} if len(values) > 1 else {}
            found[name] = told | spread | {"runs": len(values)}
    return found


def write_summary(
    output: Path, rows: Sequence[Row], *, planned: int, probe: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Write `protocol.csv`, a row a run, and `protocol.json` with the summary; both say whether they are complete.

    Args:
        output: the folder.
        rows: of the runs that are done.
        planned: how many there will be.
        probe: the probe's figures, one for each split; empty without one.
    """
    complete, failed = len(rows) == planned, sum(bool(row.error) for row in rows)
    status = "complete" if complete else f"partial: {len(rows)} of {planned} runs"
    status += f", {failed} failed" if failed else ""
    with whole_file(output / "protocol.csv", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["split", "seed", "videos", "failed", *FIGURES, "folder", "error", "table"])
        for row in rows:
            figures = ["" if row.figures.get(n) is None else f"{row.figures[n]:.6f}" for n in FIGURES]
            counts = [row.figures.get("videos", ""), row.figures.get("failed", "")]
            writer.writerow([row.split, row.seed, *counts, *figures, row.folder, row.error, status])
    with whole_file(output / "protocol.json") as handle:
        told: dict[str, Any] = {"runs": len(rows), "planned": planned, "complete": complete, "failed_runs": failed}
        told["figures"] = summarise([row.figures for row in rows])
        told |= {"probe": summarise(probe)} if probe else {}
        json.dump(told, handle, indent=1)


def tell(rows: Sequence[Row], *, planned: int, title: str, probe: Sequence[Mapping[str, Any]] = ()) -> None:
    """Print the runs and what they come to, beside the probe where there is one."""
    good = [row for row in rows if not row.error]
    summary, line = summarise([row.figures for row in good]), summarise(probe)
    names = [name for name in FIGURES if name in summary]
    table = Table("split", "seed", "videos", *names, title=f"{title}: {len(rows)} of {planned} runs")
    for at, row in enumerate(rows):
        cells = [f"failed: {escape(row.error)}"] if row.error else [_told(row.figures.get(n)) for n in names]
        videos = "" if row.error else str(row.figures["videos"])
        table.add_row(str(row.split), str(row.seed), videos, *cells, end_section=at == len(rows) - 1)
    for what in ("median", "mean", "std"):
        table.add_row(what, "", "", *(_told(summary[n].get(what)) for n in names), end_section=what == "std")
    for what in ("mean", "std") if line else ():
        table.add_row(f"probe, {what}", "", "", *(_told(line.get(n, {}).get(what)) for n in names))
    console.print(table)
    for note in sorted({note for row in good for note in row.figures["notes"]}):
        say(f"In some runs: {note}")
    if failed := sum(row.figures["failed"] for row in good):
        say(f"{failed} test videos could not be scored; they are in no figure")


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"  # so that all columns fit a narrow terminal
