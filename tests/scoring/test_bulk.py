"""Many videos at once."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import Make

from scoring.conftest import try_score
from zoomvqa.scoring.branches import Networks
from zoomvqa.scoring.bulk import Waiting, default_batch, default_workers, score_many
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
    videos = [(path.name, str(path)) for path in (*good, tmp_path / "bad.mp4", tmp_path / "none.mp4")]
    alone = {name: replace(try_score(scorer, Path(path)), seconds=0.0) for name, path in videos}
    for workers in (0, 2):
        found = dict(score_many(scorer, videos, workers=workers, patience=60))
        assert all(result.seconds > 0 for result in found.values())
        assert {name: replace(result, seconds=0.0) for name, result in found.items()} == alone


def test_workers_by_default(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [default_workers(cpu, 1), default_workers(gpu, 1)] == [0, 0]
    assert [default_workers(cpu, 9), default_workers(gpu, 9)] == [4, 15]
    assert (default_batch(cpu), default_batch(gpu)) == (1, 4)
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert [default_workers(cpu, 9), default_workers(gpu, 9)] == [1, 1]


@pytest.mark.parametrize("batch", [1, 2])
def test_a_network_that_fails_costs_one_row(checkpoint, make_video: Make, monkeypatch, batch):
    scorer = Scorer(checkpoint, "cpu")
    videos = [(name, str(make_video(f"bulk_{name}.mp4", frames=20, size="128x80"))) for name in ("a", "b")]
    true, calls = Networks.score, []

    def once(self, pieces, **options):
        calls.append(len(pieces))
        if len(calls) == 1 or (len(calls) == 2 and batch > 1):
            raise RuntimeError("out of memory")
        return true(self, pieces, **options)

    monkeypatch.setattr(Networks, "score", once)
    found = dict(score_many(scorer, videos, workers=1, patience=60, batch=batch))
    assert (found["a"].score, found["a"].error) == (None, "RuntimeError: out of memory")
    assert found["b"].score is not None
    assert calls == ([1, 1] if batch == 1 else [2, 1, 1])


@pytest.mark.parametrize("kind", ["checkpoint", "clip_checkpoint"])
def test_batches_of_several_videos(request, make_video: Make, tmp_path, kind):
    """Scores are those of scoring alone but for rounding, and do not depend on which videos come together."""
    scorer = Scorer(request.getfixturevalue(kind), "cpu")
    good = [make_video(f"bulk_{frames}.mp4", frames=frames, size=size) for frames, size in SIZES]
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    videos = [(path.name, str(path)) for path in (*good, tmp_path / "bad.mp4")]
    alone = {name: try_score(scorer, Path(path)) for name, path in videos}
    runs = [
        dict(score_many(scorer, some, workers=workers, patience=60, batch=3))
        for some, workers in ((videos, 0), (videos[::-1], 2), (videos[1:2], 0))
    ]
    for name, one in alone.items():
        for found in (run[name] for run in runs if name in run):
            assert (found.score is None) == (one.score is None)
            if one.score is not None:
                assert found.score == pytest.approx(one.score, rel=1e-5, abs=1e-5)
                assert found.score == runs[0][name].score
                assert (len(found.frames), len(found.clips)) == (len(one.frames), len(one.clips))


def test_waiting_is_told(checkpoint, make_video: Make):
    videos = [("a", str(make_video("bulk_5.mp4", frames=5, size="128x80")))]
    waiting = Waiting()
    list(score_many(Scorer(checkpoint, "cpu"), videos, workers=0, patience=60, waiting=waiting))
    assert 0 < waiting.seconds < waiting.total
    assert 0 < waiting.share < 1
    assert Waiting().share == 0
