"""The table that a finished sweep leaves: what each job was told, and how far it came."""

from __future__ import annotations

import csv
import json
from pathlib import Path
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
    """Writes `sweep.csv` into the sweep's folder, the best job first, and prints it."""

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
        shared = set.intersection(*(set(row["overrides"].split(" ")) for row in rows)) if len(rows) > 1 else set()
        table = Table(*rows[0], title=f"{len(rows)} jobs")
        for row in rows:
            # On screen only what differs.
            row["overrides"] = " ".join(word for word in row["overrides"].split(" ") if word not in shared)
            table.add_row(*(escape(f"{v:.4f}" if isinstance(v, float) else str(v)) for v in row.values()))
        console.print(table)
        say(f"Sweep: {folder / 'sweep.csv'}")


def _row(job: Path) -> dict[str, Any]:
    """Return what a job was told, its figures (empty where it failed), and its folder."""
    overrides = [str(o) for o in OmegaConf.load(job / ".hydra" / "overrides.yaml")]
    try:
        figures = json.loads((job / "figures.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        figures = {}
    values = {name: "" if figures.get(name) is None else figures[name] for name in _FIGURES}
    return {"overrides": " ".join(overrides), **values, "folder": str(job)}
