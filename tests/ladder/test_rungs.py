import pytest

from zoomvqa.ladder.rungs import PRISTINE, RUNGS, draw_rungs


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
