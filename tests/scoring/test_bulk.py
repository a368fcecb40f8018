"""Many videos at once."""

from dataclasses import replace

import pytest
import torch
from conftest import Make

from zoomvqa.scoring.branches import Tally
from zoomvqa.scoring.bulk import default_workers, score_many
from zoomvqa.scoring.scorer import Scorer

SIZES = ((5, "128x80"), (90, "160x104"), (40, "80x128"))


@pytest.mark.parametrize("kind", ["checkpoint", "clip_checkpoint"])
def test_a_video_s_score_is_that_of_scoring_it_alone(request, make_video: Make, tmp_path, kind):
    scorer = Scorer(request.getfixturevalue(kind), "cpu")
    # Not the one thread that a new process would have: torch then resizes in another way.
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    request.addfinalizer(lambda: torch.set_num_threads(before))
    good = [make_video(f"bulk_{frames}.mp4", frames=frames, size=size) for frames, size in SIZES]
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    videos = [(path.name, path) for path in (*good, tmp_path / "bad.mp4", tmp_path / "none.mp4")]
    alone = {name: replace(scorer.try_score(path), seconds=0.0) for name, path in videos}
    for workers in (0, 2):
        found = dict(score_many(scorer, videos, workers=workers, patience=60))
        assert all(result.seconds > 0 for result in found.values())
        assert {name: replace(result, seconds=0.0) for name, result in found.items()} == alone


def test_workers_by_default(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [default_workers(cpu, 1), default_workers(gpu, 1)] == [0, 0]
    assert [default_workers(cpu, 9), default_workers(gpu, 9)] == [4, 15]
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert [default_workers(cpu, 9), default_workers(gpu, 9)] == [1, 1]


def test_a_network_that_fails_costs_one_row(checkpoint, make_video: Make, monkeypatch):
    scorer = Scorer(checkpoint, "cpu")
    videos = [(name, make_video(f"bulk_{name}.mp4", frames=20, size="128x80")) for name in ("a", "b")]
    true, calls = Tally.add, []

    def once(self, piece):
        calls.append(piece)
        if len(calls) == 1:
            raise RuntimeError("out of memory")
        true(self, piece)

    monkeypatch.setattr(Tally, "add", once)
    found = dict(score_many(scorer, videos, workers=1, patience=60))
    assert (found["a"].score, found["a"].error) == (None, "RuntimeError: out of memory")
    assert found["b"].score is not None
