import csv

import torch
from PIL import Image

from zoomvqa.calibration import Unit
from zoomvqa.metrics import figures_of
from zoomvqa.training.report import plot_scatter, write_predictions

PREDICTION, MOS = torch.tensor([1.0, 2.5, 3.0]), torch.tensor([1.0, 2.0, 4.0])
MOS_1_TO_5 = Unit(known=True, scale=(1.0, 5.0))


def test_predictions(tmp_path):
    write_predictions(tmp_path / "p.csv", ["a,b.mp4", "c", "d"], PREDICTION, MOS)
    with (tmp_path / "p.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert rows[0] == {"video": "a,b.mp4", "prediction": "1.000000", "mos": "1.000000"}
    assert len(rows) == 3


def test_scatter_is_a_picture(tmp_path):
    plot_scatter(tmp_path / "p.png", PREDICTION, MOS, figures_of(PREDICTION, MOS), MOS_1_TO_5)
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.size == (600, 600)


def test_scatter_without_correlation(tmp_path):
    same = torch.ones(3)
    plot_scatter(tmp_path / "p.png", same, MOS, figures_of(same, MOS), MOS_1_TO_5)
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_scatter_names_its_curve_and_what_is_not_defined(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    told = []
    monkeypatch.setattr(Axes, "set_title", lambda self, text, **_: told.append(text))
    monkeypatch.setattr(Axes, "legend", lambda self, **_: told.append(self.get_lines()[0].get_label()))
    prediction, mos = torch.linspace(0, 1, 20), torch.linspace(1, 5, 20)
    plot_scatter(tmp_path / "p.png", prediction, mos, figures_of(prediction, mos), MOS_1_TO_5)
    assert told[0] == "calibration"
    assert "RMSE 2.66" in told[1]
    assert "on a scale of 1 to 5" in told[1]
    plot_scatter(tmp_path / "r.png", prediction, mos, figures_of(prediction, mos), Unit(known=False))
    assert "scores without a unit" in told[3]
    assert "RMSE" not in told[3]
    same = torch.ones(3)
    plot_scatter(tmp_path / "q.png", same, MOS, figures_of(same, MOS), MOS_1_TO_5)
    assert told[-1].startswith("SRCC, PLCC, KRCC not defined: all predictions")
