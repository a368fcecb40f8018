"""The table over seeds, of jobs that are there."""

import csv
import json
from pathlib import Path

from omegaconf import OmegaConf

from zoomvqa.cli.sweep import SweepTable


def job(folder: Path, overrides: list[str], rmse: float | None) -> None:
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text("".join(f"- {o}\n" for o in overrides))
    if rmse is not None:
        figures = {"srcc": None, "plcc": 0.5, "krcc": 0.5, "rmse": rmse, "selection": -1.0}
        (folder / "figures.json").write_text(json.dumps(figures))


def told(folder: Path) -> list[dict[str, str]]:
    SweepTable().on_multirun_end(OmegaConf.create({"hydra": {"sweep": {"dir": str(folder)}}}))
    if not (folder / "sweep_seeds.csv").exists():
        return []
    with (folder / "sweep_seeds.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_jobs_are_averaged_over_their_seeds(tmp_path, capsys):
    for number, (rate, seed, rmse) in enumerate([(1, 1, 2.0), (1, 2, 4.0), (2, 1, 7.0), (2, 2, None)]):
        job(tmp_path / str(number), [f"branch.optimiser.lr={rate}", f"seed={seed}"], rmse)
    one, other = told(tmp_path)
    assert (one["overrides"], one["jobs"], one["with figures"]) == ("branch.optimiser.lr=1", "2", "2")
    assert (float(one["rmse_mean"]), round(float(one["rmse_std"]), 6)) == (3.0, 1.414214)
    assert (one["srcc_mean"], one["srcc_std"]) == ("", "")
    assert (other["with figures"], other["rmse_mean"], other["rmse_std"]) == ("1", "7.0", "")
    printed = capsys.readouterr()
    assert "mean ± standard deviation over seeds" in printed.out + printed.err


def test_without_seeds_there_is_nothing_to_average(tmp_path):
    job(tmp_path / "0", ["branch.optimiser.lr=1"], 2.0)
    job(tmp_path / "1", ["branch.optimiser.lr=2"], 3.0)
    assert told(tmp_path) == []
