import csv

import torch
from PIL import Image

from zoomvqa.metrics import figures_of
from zoomvqa.training.report import plot_scatter, write_predictions

PREDICTION, MOS = torch.tensor([1.0, 2.5, 3.0]), torch.tensor([1.0, 2.0, 4.0])


def test_predictions(tmp_path):
    write_predictions(tmp_path / "p.csv", ["a,b.mp4", "c", "d"], PREDICTION, MOS)
    with (tmp_path / "p.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert rows[0] == {"video": "a,b.mp4", "prediction": "1.000000", "mos": "1.000000"}
    assert len(rows) == 3


def test_scatter_is_a_picture(tmp_path):
    plot_scatter(tmp_path / "p.png", PREDICTION, MOS, figures_of(PREDICTION, MOS))
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.size == (600, 600)


def test_scatter_without_correlation(tmp_path):
    same = torch.ones(3)
    plot_scatter(tmp_path / "p.png", same, MOS, figures_of(same, MOS))
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_scatter_names_its_curve_and_what_is_not_defined(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    told = []
    monkeypatch.setattr(Axes, "set_title", lambda self, text, **_: told.append(text))
    monkeypatch.setattr(Axes, "legend", lambda self, **_: told.append(self.get_lines()[0].get_label()))
    prediction, mos = torch.linspace(0, 1, 20), torch.linspace(1, 5, 20)
    plot_scatter(tmp_path / "p.png", prediction, mos, figures_of(prediction, mos))
    assert told[0] == "calibration"
    same = torch.ones(3)
    plot_scatter(tmp_path / "q.png", same, MOS, figures_of(same, MOS))
    assert told[-1].startswith("SRCC, PLCC, KRCC not defined: all predictions")
