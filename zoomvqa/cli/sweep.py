"""The table that a finished sweep leaves: what each job was told, and how far it came."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from rich.markup import escape
from rich.table import Table

from zoomvqa.console import console, say
from zoomvqa.files import whole_file

# Jobs of the last sweep that have no figures, in whichever process they failed.
unfinished = 0
_FIGURES = ("selection", "srcc", "plcc", "krcc", "rmse")


class SweepTable(Callback):
    """Writes `sweep.csv` into the sweep's folder, the best job first, and prints it.

    Jobs that differ by their seed alone are also averaged, in `sweep_seeds.csv`.
    """

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """See the class."""
        global unfinished  # noqa: PLW0603  Hydra makes this object, and keeps it
        folder = Path(config.hydra.sweep.dir)
        rows = [_row(job) for job in sorted(folder.iterdir()) if (job / ".hydra" / "overrides.yaml").is_file()]
        if not rows:
            return
        unfinished = sum(row["selection"] == "" for row in rows)
        rows.sort(key=lambda row: row["selection"] if isinstance(row["selection"], float) else -2.0, reverse=True)
        with whole_file(folder / "sweep.csv", newline="") as handle:
            writer = csv.DictWriter(handle, ["overrides", *_FIGURES, "folder"])
            writer.writeheader()
            writer.writerows(rows)
        _tell_seeds(folder, rows)
        shared = set.intersection(*(set(row["overrides"].split(" ")) for row in rows)) if len(rows) > 1 else set()
        table = Table(*rows[0], title=f"{len(rows)} jobs")
        for row in rows:
            # On screen only what differs.
            row["overrides"] = " ".join(word for word in row["overrides"].split(" ") if word not in shared)
            table.add_row(*(escape(f"{v:.4f}" if isinstance(v, float) else str(v)) for v in row.values()))
        console.print(table)
        say(f"Sweep: {folder / 'sweep.csv'}")


def _tell_seeds(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write and print mean and standard deviation (n − 1) of jobs that differ by their seed alone."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        words = row["overrides"].split(" ")
        groups.setdefault(" ".join(w for w in words if not w.startswith("seed=")), []).append(row)
    target = folder / "sweep_seeds.csv"
    if all(len(jobs) == 1 for jobs in groups.values()):
        target.unlink(missing_ok=True)  # of an earlier, other sweep into the same folder
        return
    told = [_over_seeds(overrides, jobs) for overrides, jobs in groups.items()]
    with whole_file(target, newline="") as handle:
        writer = csv.DictWriter(handle, list(told[0]))
        writer.writeheader()
        writer.writerows(told)
    shared = set.intersection(*(set(overrides.split(" ")) for overrides in groups)) if len(groups) > 1 else set()
    table = Table("overrides", "jobs", *_FIGURES, title="mean ± standard deviation over seeds")
    for row in told:
        words = " ".join(word for word in row["overrides"].split(" ") if word not in shared)
        table.add_row(escape(words), f"{row['with figures']} of {row['jobs']}", *(_mean(row, n) for n in _FIGURES))
    console.print(table)


def _over_seeds(overrides: str, jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a row of `sweep_seeds.csv`."""
    counted = sum(isinstance(job["selection"], float) for job in jobs)
    found: dict[str, Any] = {"overrides": overrides, "jobs": len(jobs), "with figures": counted}
    for name in _FIGURES:
        values = [job[name] for job in jobs if isinstance(job[name], float)]
        found[f"{name}_mean"] = mean(values) if values else ""
        found[f"{name}_std"] = stdev(values) if len(values) > 1 else ""
    return found


def _mean(row: dict[str, Any], name: str) -> str:
    if row[f"{name}_mean"] == "":
        return "–"
    spread = row[f"{name}_std"]
    return f"{row[f'{name}_mean']:.4f}" + ("" if spread == "" else f" ± {spread:.4f}")


def _row(job: Path) -> dict[str, Any]:
    """Return what a job was told, its figures (empty where it failed), and its folder."""
    overrides = [str(o) for o in OmegaConf.load(job / ".hydra" / "overrides.yaml")]
    try:
        figures = json.loads((job / "figures.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        figures = {}
    values = {name: "" if figures.get(name) is None else figures[name] for name in _FIGURES}
    return {"overrides": " ".join(overrides), **values, "folder": str(job)}
