from collections import Counter

import pytest

from zoomvqa.data.video_order import VideoBatches


def epoch(epoch: int = 0, **options) -> list[list]:
    batches = VideoBatches(**({"videos": 17, "batch_size": 4, "seed": 3} | options))
    batches.set_epoch(epoch)
    found = list(batches)
    assert len(found) == len(batches)
    return found


def test_each_video_once_in_even_batches():
    batches = epoch()
    assert sorted(key.video for batch in batches for key in batch) == list(range(17))
    assert sorted(len(batch) for batch in batches) == [3, 3, 3, 4, 4]


def test_another_order_in_another_epoch_and_the_same_again():
    assert epoch() == epoch()
    assert epoch(0) != epoch(1)
    assert epoch() != epoch(seed=4)


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_the_batches(world):
    alone = epoch(videos=24, batch_size=6)
    shares = [epoch(videos=24, batch_size=6, rank=rank, world=world) for rank in range(world)]
    for number, batch in enumerate(alone):
        together = [key for share in shares for key in share[number]]
        assert sorted(together) == sorted(batch)


def test_numbers_that_do_not_divide():
    shares = [epoch(rank=rank, world=3) for rank in range(3)]
    assert len({len(share) for share in shares}) == 1
    assert {key.video for share in shares for batch in share for key in batch} == set(range(17))


def test_every_variant_once():
    keys = [key for batch in epoch(variants=4) for key in batch]
    assert Counter((key.video, key.variant) for key in keys) == Counter(
        (v, k) for v in range(17) for k in range(4)
    )
    for start in range(0, len(keys), 17):
        assert len({key.video for key in keys[start : start + 17]}) == 17


def test_fewer_videos_than_a_batch():
    assert [len(batch) for batch in epoch(videos=3)] == [3]
    assert [len(batch) for batch in epoch(videos=1, world=2, rank=1)] == [1]
