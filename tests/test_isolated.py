"""Work in processes of their own."""

import os
import signal
import time

import pytest

from zoomvqa.isolated import Lost, run_isolated


def fragile(item: int) -> int:
    """Crash, hang or fail on some items."""
    if item == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == 5:
        time.sleep(60)
    if item == 7:
        raise ValueError("seven\nis bad")
    return item * item


def test_one_that_crashes_or_hangs_costs_its_own_item_only():
    begin = time.monotonic()
    found = dict(run_isolated(fragile, range(10), workers=2, seconds=2, preload=__name__))
    assert time.monotonic() - begin < 40
    assert {i: r for i, r in found.items() if i not in {2, 5, 7}} == {i: i * i for i in (0, 1, 3, 4, 6, 8, 9)}
    assert found[2] == Lost("the decoder crashed (exit code -11)")
    assert found[5] == Lost("it took longer than 2 seconds")
    assert found[7] == Lost("ValueError: seven is bad")


def test_leaving_early_ends_the_workers_and_takes_no_more_items():
    taken = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield 10 + i

    results = run_isolated(fragile, items(), workers=1, seconds=30, preload=__name__)
    assert next(results)[1] >= 100
    assert len(taken) <= 4
    results.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_nothing_to_do(workers):
    assert list(run_isolated(fragile, [], workers=workers, seconds=1, preload=__name__)) == []
