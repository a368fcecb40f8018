"""What a check leaves: a table of files, the findings, a picture."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.markup import escape
from rich.table import Table

from zoomvqa.checking.findings import Checked, Finding
from zoomvqa.checking.probe import Probe
from zoomvqa.console import console, say
from zoomvqa.files import whole_file
from zoomvqa.outputs import begins_with, refuse_foreign_folder

_PROBED = [field.name for field in fields(Probe) if field.name not in {"error", "complaints", "prints"}]
_BINS = 20
_HEADER = ["video", "split", "content", "mos", "problem", "complaints", *_PROBED, "path"]
# What is written into the output, `files.csv` first.
_FILES = ("files.csv", "findings.json", "check.png")


def refuse_other_report(output: Path) -> None:
    """Refuse a folder that holds files of the names that `write_report` writes, and that it has not written.

    Raises:
        SettingsError: it does.
    """
    refuse_foreign_folder(output, _FILES, lambda folder: begins_with(folder / "files.csv", ",".join(_HEADER)))


def write_report(output: Path, rows: Sequence[Checked], found: Sequence[Finding], name: str) -> None:
    """Write `files.csv`, `findings.json` and `check.png`, and print a summary.

    Args:
        output: the folder.
        rows: of the set.
        found: of the whole.
        name: of the set.
    """
    with whole_file(output / "files.csv", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(_HEADER)
        for row in rows:
            probe = row.found or Probe()
            told = [f"{v:.3f}" if isinstance(v, float) else v for v in (getattr(probe, n) for n in _PROBED)]
            about = [row.video.name, row.video.split, row.video.content, repr(row.video.mos)]
            writer.writerow([*about, row.problem, "; ".join(probe.complaints), *told, row.video.path])
    with whole_file(output / "findings.json") as handle:
        json.dump([{"kind": f.kind, "text": f.text} for f in found], handle, indent=1)
    _draw(output / "check.png", rows, name)
    _tell(rows, found, name)
    say(f"Check of {name}: {output}")


def _tell(rows: Sequence[Checked], found: Sequence[Finding], name: str) -> None:
    splits = ["all", *(s for s in ("train", "val", "test") if any(row.video.split == s for row in rows))]
    table = Table("", *splits, title=name)
    parts = {s: [row for row in rows if s in {"all", row.video.split}] for s in splits}
    table.add_row("videos", *(str(len(part)) for part in parts.values()))
    table.add_row("contents", *(str(len({row.video.content for row in part})) for part in parts.values()))
    table.add_row("MOS", *(_range([row.video.mos for row in part]) for part in parts.values()))
    usable = {s: [row.found for row in part if row.found and not row.problem] for s, part in parts.items()}
    for label, get in (
        ("seconds", "seconds"),
        ("frames a second", "fps"),
        ("width", "width"),
        ("height", "height"),
    ):
        table.add_row(label, *(_range([getattr(p, get) for p in part]) for part in usable.values()))
    table.add_row("hours", *(f"{sum(p.seconds for p in part) / 3600:.2f}" for part in usable.values()))
    table.add_row("gigabytes", *(f"{sum(p.bytes for p in part) / 1e9:.2f}" for part in usable.values()))
    table.add_row("cannot be used", *(str(sum(bool(row.problem) for row in part)) for part in parts.values()))
    console.print(table)
    for finding in found:
        style = "red" if finding.kind == "problem" and console.is_terminal else None
        console.print(f"{finding.kind}: {escape(finding.text)}", style=style)


def _range(values: Sequence[float]) -> str:
    """Return the median, and the lowest and the highest value."""
    if not values:
        return "–"
    low, middle, high = np.quantile(values, [0, 0.5, 1])
    return f"{middle:.4g} ({low:.4g}–{high:.4g})" if low < high else f"{middle:.4g}"


def _draw(path: Path, rows: Sequence[Checked], name: str) -> None:
    """Draw histograms of MOS by split and of durations, and sizes beside each other."""
    splits = [s for s in ("train", "val", "test") if any(row.video.split == s for row in rows)]
    usable = [row.found for row in rows if row.found and not row.problem]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    scores, durations, sizes = figure.subplots(1, 3)
    scores.hist(
        [[row.video.mos for row in rows if row.video.split == s] for s in splits],
        _BINS,
        stacked=True,
        label=splits,
    )
    scores.set(xlabel="MOS", ylabel="videos", title=name)
    scores.legend()
    durations.hist([probe.seconds for probe in usable], _BINS)
    durations.set(xlabel="seconds", ylabel="videos")
    sizes.scatter([p.width for p in usable], [p.height for p in usable], [12] * len(usable), alpha=0.4)
    sizes.set(xlabel="width", ylabel="height")
    with whole_file(path, "wb") as handle:
        figure.savefig(handle, format="png", dpi=110)
