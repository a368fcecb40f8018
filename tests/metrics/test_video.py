"""Figures against SciPy, on one process and on two."""

import math

import numpy as np
import pytest
import torch
import torch.distributed as dist
from scipy import stats
from torch import multiprocessing

from zoomvqa.calibration import Unit
from zoomvqa.metrics import Figures, VideoScores, constant_value, figures_of

UNIT = Unit(known=True)


def by_scipy(prediction: np.ndarray, mos: np.ndarray) -> list[float]:
    rmse = float(np.sqrt(np.mean((prediction - mos) ** 2)))
    correlations = (stats.spearmanr, stats.pearsonr, stats.kendalltau)
    return [*(float(f(prediction, mos).statistic) for f in correlations), rmse]


def sample(size: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(size)
    mos = draw.uniform(20, 90, size)
    prediction = mos + draw.normal(0, 15, size)
    if ties:
        prediction, mos = np.round(prediction, -1), np.round(mos, -1)
    return prediction.astype(np.float32).astype(float), mos.astype(np.float32).astype(float)


@pytest.mark.parametrize("size", [3, 10, 57, 200])
@pytest.mark.parametrize("ties", [False, True])
def test_figures_equal_scipy(size, ties):
    prediction, mos = sample(size, ties)
    got = figures_of(torch.tensor(prediction), torch.tensor(mos))
    np.testing.assert_allclose(got[:4], by_scipy(prediction, mos), atol=1e-6)
    assert got.videos == size


def test_half_precision_input_is_not_computed_in_half():
    prediction, mos = sample(50, ties=False)
    rounded = torch.tensor(prediction).bfloat16()
    expected = by_scipy(rounded.float().numpy().astype(float), mos)
    np.testing.assert_allclose(figures_of(rounded, torch.tensor(mos))[:4], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("prediction", "mos"), [([1.0, 1.0], [1.0, 2.0]), ([1.0, 2.0], [3.0, 3.0]), ([5.0], [4.0])]
)
def test_equal_values_have_no_correlation(prediction, mos):
    figures = figures_of(torch.tensor(prediction), torch.tensor(mos))
    assert math.isnan(figures.srcc)
    assert math.isfinite(figures.rmse)
    assert figures.selection == -1.0


def test_selection_is_the_mean_of_srcc_and_plcc():
    assert Figures(0.5, 0.7, 0.0, 1.0, 3).selection == pytest.approx(0.6)


@pytest.mark.parametrize(("prediction", "mos"), [([math.nan, 1.0], [1.0, 2.0]), ([1.0], [1.0, 2.0]), ([], [])])
def test_refusals(prediction, mos):
    with pytest.raises(ValueError, match=r"finite|expected two"):
        figures_of(torch.tensor(prediction), torch.tensor(mos))


def test_a_video_seen_twice_counts_once():
    scores = VideoScores()
    for index, p, y in [(2, 3.0, 30.0), (0, 1.0, 10.0), (1, 2.5, 20.0), (2, 3.0, 30.0)]:
        scores.update(torch.tensor(index), torch.tensor(p), torch.tensor(y))
    figures, (index, prediction, _) = scores.compute()
    assert index.tolist() == [0, 1, 2]
    assert prediction.tolist() == [1.0, 2.5, 3.0]
    assert figures.videos == 3


def worker(rank: int, world: int, size: int, store: str, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    prediction, mos = sample(size, ties=False)
    scores = VideoScores()
    padded = [i % size for i in range(-(-size // world) * world)]  # as a distributed sampler pads
    for index in padded[rank::world]:
        scores.update(torch.tensor(index), torch.tensor(prediction[index]), torch.tensor(mos[index]))
    figures, table = scores.compute()
    torch.save([*figures, table[0].tolist()], f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize(("world", "size"), [(1, 8), (2, 7), (3, 8)])
def test_figures_do_not_depend_on_the_number_of_processes(tmp_path, size, world):
    multiprocessing.spawn(worker, (world, size, str(tmp_path / "store"), str(tmp_path)), nprocs=world)
    for rank in range(world):
        *figures, videos, index = torch.load(tmp_path / f"{rank}.pt")
        np.testing.assert_allclose(figures, by_scipy(*sample(size, ties=False)), atol=1e-6)
        assert videos == size
        assert index == list(range(size))


@pytest.mark.parametrize(
    ("values", "constant"),
    [([0.0, 0.0], 0.0), ([2.5, 2.5, 2.5], 2.5), ([2.5, 2.5, 2.6], None), ([1.0], None), ([], None)],
)
def test_predictions_that_are_all_the_same(values, constant):
    assert constant_value(torch.tensor(values)) == constant


def test_figures_that_are_not_defined_say_why():
    one = figures_of(torch.tensor([1.0]), torch.tensor([2.0]))
    assert one.told(UNIT) == "SRCC, PLCC, KRCC not defined: 1 video  RMSE 1.0000  (1 video)"
    flat = figures_of(torch.ones(3), torch.arange(3.0))
    assert "not defined: all predictions, or all MOS, are equal" in flat.told(UNIT)
    assert figures_of(torch.arange(3.0), torch.arange(3.0)).undefined == ""


def test_an_rmse_is_told_with_its_scale_and_only_where_it_has_a_unit():
    figures = figures_of(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 3.0, 4.0]))
    assert "RMSE 0.5774  (3 videos)" in figures.told(UNIT)
    assert "RMSE 0.5774 on a scale of 1 to 5  (3 videos)" in figures.told(Unit(known=True, scale=(1.0, 5.0)))
    told = figures.told(Unit(known=False, scale=(1.0, 5.0)))
    assert told.endswith("scores without a unit  (3 videos)")
    assert "RMSE" not in told
