from collections import Counter

import pytest

from zoomvqa.data.part_order import PartBatches

COUNTS = [5, 3, 8, 1, 6, 4, 7]


def keys(world: int = 1, epoch: int = 0, **options) -> list[list]:
    """Every process's keys, in order."""
    processes = []
    for rank in range(world):
        batches = PartBatches(COUNTS, 4, seed=3, rank=rank, world=world, **options)
        batches.set_epoch(epoch)
        listed = list(batches)
        assert len(listed) == len(batches)
        processes.append([key for batch in listed for key in batch])
    return processes


def test_every_frame_once():
    frames = Counter((k.video, k.frame) for k in keys()[0])
    assert frames == {(v, f): 1 for v, count in enumerate(COUNTS) for f in range(count)}


def test_epochs_differ_and_repeat():
    assert keys(epoch=1) == keys(epoch=1)
    assert keys(epoch=1) != keys(epoch=2)


@pytest.mark.parametrize("world", [2, 3, 5])
@pytest.mark.parametrize("grouped", [False, True])
def test_processes_get_equally_many(world, grouped):
    processes = keys(world, grouped=grouped)
    assert len({len(p) for p in processes}) == 1
    if not grouped:
        seen = {(k.video, k.frame) for p in processes for k in p}
        assert len(seen) == sum(COUNTS)


def test_more_processes_see_the_same_frames_with_the_same_crops():
    alone, (even, odd) = keys()[0], keys(2)
    interleaved = [k for pair in zip(even, odd, strict=True) for k in pair]
    assert interleaved[: len(alone)] == alone


def test_shuffles_across_videos():
    first = [k.video for k in keys()[0][:12]]
    assert len(set(first)) > 3


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_grouped_videos_are_decoded_once(workers):
    """Each worker, remembering as many videos as a group has, decodes its videos once an epoch."""
    counts = [18, 22, 20, 21] * 15
    batches = list(PartBatches(counts, 16, seed=0, grouped=True, workers=workers, group_size=8))
    frames = Counter((k.video, k.frame) for batch in batches for k in batch)
    assert set(frames.values()) == {1}
    assert len(frames) == sum(counts)
    decodes = 0
    for worker in range(workers):
        remembered: list[int] = []
        for batch in batches[worker::workers]:
            for key in batch:
                if key.video not in remembered:
                    decodes += 1
                    remembered = [*remembered, key.video][-8:]
    # Only the group under way when a share is done may be decoded by a second worker.
    assert decodes <= len(counts) + 8 * (workers - 1)
    assert len({k.video for k in batches[0]}) > 3  # and still mixes videos
