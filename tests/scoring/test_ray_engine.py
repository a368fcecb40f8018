"""The same rows from Ray as from one machine: a Ray of two CPUs, with a worker killed midway."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import Make
from PIL import Image
from server import serving

from scoring.conftest import try_score
from zoomvqa.errors import ToolError
from zoomvqa.scoring.ray_cluster import ray_package
from zoomvqa.scoring.ray_engine import score_with_ray
from zoomvqa.scoring.recipe import ScorerRecipe
from zoomvqa.scoring.scorer import VideoScore
from zoomvqa.settings.ray import RaySettings

try:
    ray = ray_package(quiet=True)
except ToolError as error:
    pytest.skip(str(error), allow_module_level=True)
pytestmark = pytest.mark.slow

# In every Python that Ray starts: the decoder crashes on one folder; on another it kills, once each, the worker it
# belongs to (its parent is what it was forked from, and whose parent is the worker), and the network's worker,
# which has the same parent again.
HOOK = """
import os, signal, sys
def parent(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])
def name_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as told:
            return told.read().strip(chr(0)) if parent(pid) == parent(mine()) else ""
    except OSError:
        return ""
def mine():
    return parent(os.getppid())
def others():
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and "Scoring" in name_of(pid)]
def kill_once(folder, pids):
    if pids:
        with open(folder + ".killed", "a") as out:
            out.write(name_of(pids[0]) + chr(10))
        os.kill(pids[0], signal.SIGKILL)
def watch(event, args):
    path = str(args[0]) if args else ""
    folder, name = os.path.split(path)
    if event in {"os.listdir", "os.scandir"} and name == "crashing":
        os.kill(os.getpid(), signal.SIGSEGV)
    if event == "open" and folder.endswith("killing"):
        mark = folder + ".killed"
        done = open(mark).read().count(chr(10)) if os.path.exists(mark) else 0
        if (name, done) == ("000003.png", 0):
            kill_once(folder, [mine()])
        if (name, done) == ("000007.png", 1):
            kill_once(folder, others())
sys.addaudithook(watch)
"""
WANTED = RaySettings(decoders=1, networks=1, window=3)


@pytest.fixture
def hooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes started from here on watch for the folders of this test."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'hook'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    # The scores of one thread and of two differ in their last bits; Ray's workers have one by themselves.
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def frames(folder: Path) -> Path:
    folder.mkdir()
    for number in range(1, 13):
        colours = tuple((number * step) % 256 for step in (20, 7, 50))
        Image.new("RGB", (128, 96), colours).save(folder / f"{number:06}.png")
    return folder


def timeless(result: VideoScore) -> VideoScore:
    return replace(result, seconds=0.0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the worker to kill in /proc")
def test_rows_are_those_of_one_machine_though_a_worker_is_killed(
    checkpoint, make_video: Make, tmp_path, hooked, capfd
):
    recipe = ScorerRecipe(checkpoint, "cpu")
    good = [make_video(f"ray_{i}.mp4", frames=20 + 40 * i, size=f"{128 + 16 * i}x96") for i in range(4)]
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    there = [good[0], tmp_path / "bad.mp4", frames(tmp_path / "killing"), good[1], tmp_path / "none.mp4", good[2]]
    scorer = recipe.scorer()
    expected = {path.name: timeless(try_score(scorer, path)) for path in there}
    taken = 0

    def videos(address: str) -> Iterator[tuple[str, str]]:
        nonlocal taken
        last = [("crashing", frames(tmp_path / "crashing")), ("fetched", f"{address}/some.mp4")]
        for name, place in [*((path.name, path) for path in there), *last]:
            taken += 1
            yield name, str(place)

    found: dict[str, VideoScore] = {}
    with serving() as server:
        server.files["/some.mp4"] = good[3].read_bytes()
        for name, result in score_with_ray(
            recipe, videos(server.address), wanted=WANTED, patience=120, remote=True, quiet=True
        ):
            assert name not in found
            found[name] = result
            assert taken - len(found) <= 3
    killed = (tmp_path / "killing.killed").read_text().splitlines()
    assert [line.split(".")[0] for line in killed] == [
        f"ray::MapWorker(MapBatches({stage}))" for stage in ("Decoding", "Scoring")
    ]
    assert found.pop("crashing").error == "the decoder crashed (exit code -11)"
    fetched = timeless(found.pop("fetched"))
    assert fetched == timeless(try_score(scorer, good[3]))
    assert fetched.score is not None
    assert all(result.seconds > 0 for result in found.values())
    assert {name: timeless(result) for name, result in found.items()} == expected
    assert expected["killing"].score is not None
    assert not ray.is_initialized()
    assert capfd.readouterr() == ("", "")  # Ray has nothing to say


def test_leaving_early_ends_what_was_started(checkpoint, make_video: Make):
    video = make_video("ray_0.mp4", frames=20, size="128x96")
    taken = []

    def endless() -> Iterator[tuple[str, str]]:
        while True:
            taken.append(1)
            yield str(len(taken)), str(video)

    rows = score_with_ray(ScorerRecipe(checkpoint, "cpu"), endless(), wanted=WANTED, patience=120)
    assert not ray.is_initialized()  # nothing is begun that nobody asks for
    assert next(rows)[1].score is not None
    session = ray.get_runtime_context().get_node_id()
    rows.close()
    assert len(taken) <= 4
    assert not ray.is_initialized()
    left = subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True).stdout
    assert session not in left
