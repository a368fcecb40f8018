"""Worker processes of a training: with little shared memory, and when the training is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.conftest import SMALL, on
from cli.test_full_disk import ROOT, mounted

pytestmark = pytest.mark.slow
SHARED = "/dev/shm"  # noqa: S108
WITH_WORKERS = (*(a for a in SMALL if "workers" not in a), "branch.loading.workers=2", "logger=none")


def test_little_shared_memory(labelled, tmp_path):
    options = [*WITH_WORKERS, *on(labelled), f"output={tmp_path}/run", "branch.loading.batch_size=16"]
    command = ["env", f"ZOOMVQA_CACHE={tmp_path}/cache", sys.executable, str(ROOT / "train.py"), *options]
    done = mounted("500k", Path(SHARED), command)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count(f"{SHARED} has no room for the workers' batches: they come through pipes") == 1
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").is_file()


def descendants(pid: int) -> set[int]:
    """Return the processes below one, as they are now."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, new = set[int](), {pid}
    while new := {child for child, parent in parents.items() if parent in new} - found:
        found |= new
    return found


def alive(pids: set[int]) -> set[int]:
    """Return those that still run; one that has ended and waits to be noticed does not."""
    there = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            there.add(pid)
    return there


def kill_when(command: list[str], folder: Path, enough: int, log: Path) -> None:
    """Kill a command when it has so many processes below it, and see that none of them stays."""
    environment = os.environ | {"ZOOMVQA_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=log.open("w"), stdout=subprocess.DEVNULL
    )
    deadline, below = time.monotonic() + 120, set[int]()
    while len(below) < enough and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
        below = descendants(process.pid)
    time.sleep(2)
    below |= descendants(process.pid)
    assert process.poll() is None, log.read_text()[-3000:]
    assert len(below) >= enough
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 40  # on a busy machine a worker may still be importing
    while alive(below) and time.monotonic() < deadline:
        time.sleep(0.2)
    left = alive(below)
    told = [
        (pid, Path(f"/proc/{pid}/cmdline").read_text(), Path(f"/proc/{pid}/wchan").read_text()) for pid in left
    ]
    assert not told


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux tells them")
@pytest.mark.parametrize("devices", [1, 2])
def test_no_worker_outlives_a_training(labelled, tmp_path, devices):
    options = [*WITH_WORKERS, *on(labelled), "output=run", "trainer.max_epochs=9999"]
    if devices > 1:
        options = [*options, "trainer.devices=2", "trainer.strategy=ddp"]
    command = [sys.executable, str(ROOT / "train.py"), *options]
    # The server that workers are forked from, what tracks its resources, and workers for training and validation.
    kill_when(command, tmp_path, 6 * devices, tmp_path / "told")


HANGS = """
import sys, time
sys.path.insert(0, {here!r})
from zoomvqa.isolated import run_isolated

def hang(item):
    time.sleep(600)

if __name__ == "__main__":
    list(run_isolated(hang, [1, 2], workers=2, seconds=600, preload="zoomvqa.isolated"))
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux tells them")
def test_no_isolated_worker_outlives_its_command(tmp_path):
    (tmp_path / "hangs.py").write_text(HANGS.format(here=str(ROOT)))
    kill_when([sys.executable, "hangs.py"], tmp_path, 4, tmp_path / "told")
