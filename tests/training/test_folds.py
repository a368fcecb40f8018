"""Out-of-fold scores: how contents are dealt, and how scores of several networks come to one scale."""

from pathlib import Path

import numpy as np
import pytest

from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import AnnotationError, SettingsError
from zoomvqa.training.fold_scores import FoldScores, out_of_fold, read_fold_scores
from zoomvqa.training.folds import deal_folds

VIDEOS = [
    LabelledVideo(f"v{i}", Path(f"v{i}"), float(i), f"c{i // 2}", "train" if i < 6 else "val") for i in range(8)
]


def test_folds_are_even_and_contents_whole():
    contents = [f"c{i % 7}" for i in range(70)] + ["large"] * 12
    dealt = deal_folds(contents, 3, seed=0)
    assert set(dealt) == set(contents)
    sizes = [sum(dealt[c] == fold for c in contents) for fold in range(3)]
    assert sum(sizes) == 82
    assert max(sizes) - min(sizes) <= 10
    assert deal_folds(contents, 3, seed=0) == dealt
    assert deal_folds(contents, 3, seed=1) != dealt


def test_fewer_contents_than_folds():
    with pytest.raises(AnnotationError, match="calibration_folds: got 3, expected at most .* 2"):
        deal_folds(["a", "a", "b"], 3, seed=0)


def test_scores_with_a_unit_stay_as_they_are():
    folds = FoldScores({f"v{i}": 10.0 * i for i in range(6)}, {})
    own = np.arange(8.0) + 100
    found = out_of_fold(own, VIDEOS, folds, has_unit=True, key="iqa")
    assert found.tolist() == [0, 10, 20, 30, 40, 50, 106, 107]
    assert own[0] == 100


def test_scores_without_a_unit_come_to_the_network_s_own_mean_and_deviation():
    """Fold networks that say the same on scales of their own are told apart from nothing."""
    truth = np.array([-1.5, -1.0, 0.0, 0.2, 1.0, 1.3])
    standard = {f"v{i}": float((t - truth.mean()) / truth.std()) for i, t in enumerate(truth)}
    own = np.concatenate([7 + 3 * truth, [1.0, 2.0]])
    found = out_of_fold(own, VIDEOS, FoldScores({}, standard), has_unit=False, key="vqa")
    np.testing.assert_allclose(found, own)


def test_a_run_of_other_videos():
    folds = FoldScores({"v0": 1.0}, {})
    with pytest.raises(
        SettingsError, match="branch.split: got folds, but 5 training videos have no score in .* of iqa"
    ):
        out_of_fold(np.zeros(8), VIDEOS, folds, has_unit=True, key="iqa")


def test_a_run_without_folds(tmp_path):
    with pytest.raises(SettingsError, match="has no fold_scores.csv; train it with calibration_folds=3"):
        read_fold_scores(tmp_path / "run" / "checkpoints" / "best.ckpt", "vqa")
