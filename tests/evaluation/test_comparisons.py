"""Several methods on one set."""

import numpy as np

from zoomvqa.evaluation.agree import Judged
from zoomvqa.evaluation.comparisons import FIGURES, compare_all
from zoomvqa.metrics.bootstrap import Comparison


def judged(score: np.ndarray, mos: np.ndarray) -> Judged:
    names = tuple(f"v{i}" for i in range(len(mos)))
    return Judged(names, score, mos, np.full(len(mos), np.nan), tuple({} for _ in names))


def test_each_two_methods_by_each_figure_corrected_for_the_number_of_pairs():
    random = np.random.default_rng(0)
    mos = random.uniform(1, 5, 80)
    methods = {
        name: judged(mos + noise * random.standard_normal(80), mos)
        for name, noise in zip("abc", (0.2, 0.9, 1), strict=True)
    }
    pairs = compare_all(methods, 500)
    assert [(p.first + p.second, p.figure) for p in pairs] == [
        (ab, f) for ab in ("ab", "ac", "bc") for f in FIGURES
    ]
    for figure in FIGURES:
        found = [p.found for p in pairs if p.figure == figure]
        assert all(isinstance(f, Comparison) and f.corrected >= f.p for f in found)
        assert found[0].corrected < 0.05 < found[2].corrected
        assert (found[0].difference > 0) == (figure != "rmse_fit")


def test_one_pair_needs_no_correction_and_what_cannot_be_compared_is_said():
    mos = np.linspace(1, 5, 30)
    pairs = compare_all({"a": judged(mos, mos), "b": judged(np.ones(30), mos)}, 200)
    assert [p.found for p in pairs][1:] == [
        "fitted PLCC is not compared: no logistic fits", "fitted RMSE is not compared: no logistic fits",
    ]  # fmt: skip
    (one, *_) = compare_all({"a": judged(mos, mos), "b": judged(-mos, mos)}, 200)
    assert one.found.corrected is None
