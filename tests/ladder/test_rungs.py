from collections import Counter

import pytest

from zoomvqa.ladder.rungs import PRISTINE, RUNGS, deal_rungs, draw_rungs


def test_names_are_different():
    assert len({r.name for r in (PRISTINE, *RUNGS)}) == len(RUNGS) + 1


@pytest.mark.parametrize("count", [1, 5, 9, 99])
def test_draw(count):
    rungs = draw_rungs(count, "a")
    assert rungs[0] is PRISTINE
    assert len(rungs) == min(count, len(RUNGS)) + 1
    assert len({r.name for r in rungs}) == len(rungs)
    assert rungs == draw_rungs(count, "a")


def test_a_short_ladder_has_every_kind():
    assert {r.kind for r in draw_rungs(5, "x")} == {r.kind for r in (PRISTINE, *RUNGS)}


def test_draws_differ():
    assert len({tuple(draw_rungs(5, str(seed))) for seed in range(8)}) > 4


@pytest.mark.parametrize("hands", [1, 4, 7, 14])
def test_hands_are_alike(hands):
    dealt = deal_rungs(hands, "a")
    assert dealt == deal_rungs(hands, "a")
    assert len(dealt) == hands
    kinds = {"compression": 2, "combined": 2, "scaling": 2, "blur": 1, "noise": 1}
    for hand in dealt:
        assert len({rung.name for rung in hand}) == 8
        assert Counter(rung.kind for rung in hand) == kinds
        assert (
            {rung.kind for rung in hand[:4]}
            >= {"compression", "combined", "scaling"}
            <= {r.kind for r in hand[4:]}
        )


def test_each_rung_of_a_kind_is_dealt_as_often():
    times = Counter(rung for hand in deal_rungs(14, "b") for rung in hand)
    assert len(times) == len(RUNGS)
    for kind in {rung.kind for rung in RUNGS}:
        counts = [times[rung] for rung in RUNGS if rung.kind == kind]
        assert max(counts) - min(counts) <= 1


def test_deals_differ():
    assert deal_rungs(3, "a") != deal_rungs(3, "b")
