"""What a long run holds: a short run of `scripts/soak.py`, and that it finds leaks."""

import os
import subprocess
import sys

import pytest
from soak import CRASHES, SIZES, grown, make_files, misjudged, soak

from benchmarks.processes import Held, Peak, descendants, held, wait_until_alone
from zoomvqa.scoring import feeders
from zoomvqa.scoring.scorer import VideoScore


@pytest.mark.slow
def test_nothing_grows_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(feeders, "_serve", feeders._serve)  # as it was, afterwards
    (links := tmp_path / "links").mkdir()
    files = make_files(tmp_path, SIZES[:1])
    samples, results, wrong = soak(24, 1, links, files, ruins={CRASHES: 20}, patience=120)
    assert wrong == []
    assert len(results) == 24
    assert samples[-1][0] == 24
    assert all(found.memory > found.own > 50 for _, found in samples)
    assert sum("crashed" in result.error for result in results.values()) == 1
    assert {result.score is None for result in results.values()} == {True, False}


def test_leaks_are_found():
    sound = [(done, Held(500, 300, 14, 50, 4)) for done in range(1, 1001)]
    assert grown(sound, 1000, 2) == []
    leaks = [(done, found._replace(memory=500 + done / 5)) for done, found in sound]
    assert grown(leaks, 1000, 2) == ["memory grew from 550 MB to 690 MB"]
    leaks = [(done, found._replace(handles=14 + done // 50)) for done, found in sound]
    assert grown(leaks, 1000, 2) == ["handles grew from 19 to 33"]
    leaks = [(done, found._replace(children=4 + done // 100)) for done, found in sound]
    assert grown(leaks, 1000, 2) == ["there were 14 processes for 2 workers"]


def test_rows_that_must_not_be_are_found():
    good, bad = VideoScore(1.0), VideoScore(None, "no video")
    sound = {"0_video_a.mp4": good, "1_video_a.mp4": good, "2_video_broken_b.mp4": bad, "3_crash_a.mp4": bad}
    assert misjudged(sound, 4) == []
    assert misjudged(sound, 5) == ["1 videos have no row"]
    assert misjudged(sound | {"1_video_a.mp4": VideoScore(2.0)}, 4) == ["a.mp4 has 2 scores"]
    (wrong,) = misjudged(sound | {"2_video_broken_b.mp4": good}, 4)
    assert wrong.startswith("2_video_broken_b.mp4: score 1.0")


def test_files_in_memory_count_in_full_though_another_process_has_them(tmp_path):
    (tmp_path / "library").write_bytes(bytes(40_000_000))
    code = "import mmap, sys; f = open(sys.argv[1], 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)"
    code += "; sum(m[::4096]); print(1, flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", code, str(tmp_path / "library")]
    first, other = (subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2))
    with first, other:
        for process in (first, other):
            process.stdout.readline()
        told = held(first.pid)
        for process in (first, other):
            process.stdin.close()
    assert told.memory == told.own > 40


def test_what_a_process_holds(tmp_path):
    before = held()
    code = "import sys; x = bytearray(b'1' * 80_000_000); print(1, flush=True); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child, (tmp_path / "x").open("w"), Peak(0.01) as peak:
        child.stdout.readline()
        assert child.pid in descendants(os.getpid())
        now = held()
        assert now.children == before.children + 1
        assert now.handles >= before.handles + 3
        assert now.memory - now.own > before.memory - before.own + 75
        assert child.pid in wait_until_alone(0.1)
        child.stdin.close()
    assert peak.memory >= now.memory - 20
    assert child.pid not in descendants(os.getpid())
