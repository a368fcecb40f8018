"""What an evaluation says of scores with and without a unit."""

import csv

import numpy as np

from zoomvqa.evaluation.agree import Judged
from zoomvqa.evaluation.methods import Outcome
from zoomvqa.evaluation.report import Options, report


def outcome(method: str, *, has_unit: bool) -> Outcome:
    mos = np.linspace(1, 5, 20)
    score = mos + np.sin(np.arange(20)) + (0 if has_unit else 60)
    judged = Judged(tuple(f"v{i}" for i in range(20)), score, mos, np.full(20, np.nan), ({},) * 20)
    return Outcome(method, "made", judged, 0, "test", mos_range=(1.0, 5.0), has_unit=has_unit)


def test_an_rmse_of_scores_without_a_unit_is_not_told(tmp_path, capsys):
    both = [outcome("with", has_unit=True), outcome("without", has_unit=False)]
    report({"made": both}, tmp_path, Options(resamples=0, published=False))
    with (tmp_path / "figures.csv").open(newline="") as handle:
        with_unit, without = csv.DictReader(handle)
    assert 0 < float(with_unit["rmse"]) < 1
    assert without["rmse"] == ""
    assert "scores without a unit: no RMSE" in without["notes"]
    assert without["rmse_fit"] == with_unit["rmse_fit"]
    assert without["srcc"] == with_unit["srcc"]
    told = capsys.readouterr().err
    assert "made, test part, MOS 1 to 5" in told
    assert "made, without: scores without a unit" in told
