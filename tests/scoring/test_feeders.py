"""Processes that prepare videos."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import Make

from zoomvqa.scoring import feeders
from zoomvqa.scoring.feeders import Failure, Feeders, Task, look_at
from zoomvqa.scoring.pieces import Ending, Piece, Reading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.alive import beat
from zoomvqa.views import look_of

LOOKS = {
    "iqa": look_of(FrameSampling(rate=10.0), FrameView(resize=32, crop=32)),
    "vqa": look_of(ClipSampling(clip_len=4, test_clips=3), ClipView(resize=-1, grid=2, side=16)),
}
TASK = Task(LOOKS, Reading())


@pytest.fixture(scope="module")
def videos(make_video: Make) -> list[Path]:
    return [make_video(f"feed_{i}.mp4", frames=20 + 40 * i) for i in range(4)]


def test_messages_are_those_of_looking_here(videos):
    found: dict[int, list] = {}
    for name, message in Feeders[int](TASK, 2, 60).look(enumerate(map(str, videos))):
        found.setdefault(name, []).append(message)
    assert set(found) == set(range(4))
    for number, video in enumerate(videos):
        here = list(look_at(str(video), TASK))
        assert len(here) == len(found[number])
        assert here[-1] == found[number][-1]
        assert isinstance(here[-1], Ending)
        for one, other in zip(here[:-1], found[number][:-1], strict=True):
            assert isinstance(one, Piece)
            assert one.branch == other.branch
            np.testing.assert_array_equal(one.data, other.data)
    iqa = [m.data.shape for m in found[3][:-1] if m.branch == "iqa"]
    assert iqa[0] == (8, 1, 1, 3, 32, 32)
    assert sum(shape[0] for shape in iqa) == len(found[3][-1].spans["iqa"])
    assert [m.data.shape for m in found[3][:-1] if m.branch == "vqa"] == [(1, 4, 32, 32, 3)] * 3


def test_bad_files_fail_alone(videos, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    places = {"bad": tmp_path / "bad.mp4", "good": videos[0], "none": tmp_path / "none", "folder": tmp_path}
    jobs = [*((name, str(path)) for name, path in places.items()), ("far", "s3://bucket/a.mp4")]
    last = dict(Feeders[str](TASK, 1, 60).look(jobs))
    assert isinstance(last["good"], Ending)
    assert {name for name, message in last.items() if isinstance(message, Failure)} == {
        "bad",
        "none",
        "folder",
        "far",
    }
    assert "clips need the video itself" in last["folder"].reason
    assert last["far"].reason == "an address, not a file; remote=true fetches such"


WHOLE = feeders.look_at


def spoilt(place, task):
    """Crash or hang on videos of these names, as native decoders do; midway, after a piece."""
    for number, message in enumerate(WHOLE(place, task)):
        if number == 1 and place.endswith("feed_1.mp4"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == 1 and place.endswith("feed_2.mp4"):
            time.sleep(600)
        yield message


SERVE = feeders._serve


def serve_spoilt(line, task):
    feeders.look_at = spoilt
    SERVE(line, task)


def test_a_decoder_that_crashes_or_hangs_costs_its_own_video_only(videos, monkeypatch):
    monkeypatch.setattr(feeders, "_serve", serve_spoilt)
    begin = time.monotonic()
    last = dict(Feeders[int](TASK, 2, 5).look(enumerate(map(str, [*videos, *videos]))))
    assert time.monotonic() - begin < 60
    assert {name for name, message in last.items() if isinstance(message, Ending)} == {0, 3, 4, 7}
    assert last[1] == last[5] == Failure("the decoder crashed (exit code -11)")
    assert last[2] == last[6] == Failure("the decoder gave no sign for 5 seconds")


def slow(place, task):
    """Read for long, with a sign of life now and then."""
    for _ in range(30):
        time.sleep(0.1)
        beat()
    yield from WHOLE(place, task)


def serve_slow(line, task):
    feeders.look_at = slow
    SERVE(line, task)


def test_a_long_video_is_no_decoder_that_hangs(videos, monkeypatch):
    monkeypatch.setattr(feeders, "_serve", serve_slow)
    last = dict(Feeders[int](TASK, 1, 2).look([(0, str(videos[0]))]))
    assert isinstance(last[0], Ending)


def test_leaving_early_ends_the_processes(videos):
    messages = Feeders[int](TASK, 2, 60).look(enumerate(map(str, videos)))
    next(messages)
    children = list(messages.gi_frame.f_locals["workers"])
    messages.close()
    assert len(children) == 2
    for worker in children:
        assert not worker.process.is_alive()


def test_videos_are_taken_as_processes_get_free(videos):
    taken = []

    def many():
        for number in range(1000):
            taken.append(number)
            yield number, str(videos[0])

    messages = Feeders[int](TASK, 2, 60).look(many())
    next(messages)
    messages.close()
    assert len(taken) == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at what a process has loaded in /proc")
def test_what_decodes_has_no_torch(videos):
    """It takes seconds to import, and half a gigabyte."""
    code = """
import sys
from pathlib import Path
from zoomvqa.scoring.feeders import Feeders, Task
from zoomvqa.scoring.pieces import Reading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.views import look_of
looks = {"iqa": look_of(FrameSampling(), FrameView()), "vqa": look_of(ClipSampling(), ClipView())}
messages = Feeders(Task(looks, Reading("decord")), 1, 60).look([("a", sys.argv[1])])
print(type(next(messages)[1]).__name__)
(worker,) = messages.gi_frame.f_locals["workers"]
loaded = Path(f"/proc/{worker.process.pid}/maps").read_text()
print("decord" in loaded, "libtorch" in loaded)
"""
    words = [sys.executable, "-c", code, str(videos[0])]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "Piece\nTrue False\n"


SCRIPT = """
from zoomvqa.scoring.feeders import Feeders, Task, warm_up
from zoomvqa.scoring.pieces import Reading
print("begins")
warm_up()
found = list(Feeders(Task({}, Reading()), 1, 60).look([("a", "none.mp4")]))
print(found[0][1].reason)
"""


def test_a_script_is_not_run_again_in_every_process(tmp_path):
    """Multiprocessing would: this one would start processes that start processes."""
    (script := tmp_path / "script.py").write_text(SCRIPT)
    words = [sys.executable, str(script)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("begins\nno such file: none.mp4\n", "")
