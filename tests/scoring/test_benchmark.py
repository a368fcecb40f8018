"""The benchmark of scoring: the release's way and ours come to the same scores."""

from functools import partial

import pytest
from conftest import Make

from benchmarks.checkpoints import fused
from benchmarks.release_scoring import ReleaseScorer
from benchmarks.scoring import Clock, Measured, Way, _row, core_seconds, ours, theirs
from benchmarks.timing import alone
from zoomvqa.scoring.scorer import Scorer


@pytest.fixture(scope="module")
def videos(make_video: Make):
    return [make_video(f"bench_{size}.mp4", size=size, frames=40) for size in ("192x128", "128x160")]


def test_the_release_s_way_and_ours_agree(videos):
    plain, own = ReleaseScorer(fused(small=True)), Scorer(fused(small=True), "cpu")
    for video in videos:
        assert plain.score(video) == pytest.approx(own.score(video).score, abs=1e-3)
    assert abs(plain.score(videos[0]) - plain.score(videos[1])) > 0.1


@pytest.mark.slow
def test_what_is_measured(videos):
    one, other = theirs(videos, small=True), ours(videos, Way("32-true"), small=True)
    assert one.scores == pytest.approx(other.scores, abs=1e-3)
    assert min(one.seconds, other.seconds) > 0
    assert min(one.memory, other.memory) > 100
    assert 0 <= other.waiting < 1
    cost = alone(partial(core_seconds, videos[0], Way("32-true"), small=True))[0]
    assert min(cost) > 0
    assert sum(cost) < 60
    what, plain, own, ratio = _row("x", "32-true", [one], [other])
    assert what.startswith("x, both branches, 32-true: scores apart by ")
    assert (plain[-2:], own[-2:], ratio[-2:]) == (" s", " s", " ×")


def test_a_row():
    plain, own = Measured(30.0, [1.0, 2.0], float("nan"), 6000.0), Measured(10.0, [1.0, 2.5], 0.07, 1500.0)
    assert _row("540p", "32-true", [plain], [own]) == [
        "540p, both branches, 32-true: scores apart by 5.0e-01, waits 7%, 1.5 GB against 6.0 GB",
        "30.00 s", "10.00 s", "3.00 ×",
    ]  # fmt: skip


def test_waiting():
    clock = Clock([(1.0, 2.0), (4.0, 5.0)])
    assert (clock.waiting, clock.working) == (0.5, 2.0)
    assert Clock().waiting != Clock().waiting
