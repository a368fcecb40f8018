"""A full disk: one line that names the file, and what was kept until then stays."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import SMALL, Run, on
from zoomvqa.files import no_room, whole_file, whole_folder
from zoomvqa.journal import open_journal
from zoomvqa.ladder import encode
from zoomvqa.scoring import rows

ROOT = Path(__file__).parents[2]


def mounted(size: str, place: Path, command: list[str], **options) -> subprocess.CompletedProcess[str]:
    """Run a command that alone sees a small file system at a place; skip where that is not allowed."""
    allowed = shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
        capture_output=True, check=False,
    ).returncode == 0  # fmt: skip
    if not allowed:
        pytest.skip("no file system can be mounted here")
    script = f'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        ["unshare", "-m", "bash", "-c", script, str(place), *command],
        env=environment, capture_output=True, text=True, timeout=240, check=False, **options,
    )  # fmt: skip


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def ends_in(outcome, told: str) -> None:
    assert outcome.code == 2, outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1] == f"error: {told}: No space left on device"


def test_the_file_is_named(tmp_path):
    with pytest.raises(OSError, match="No space left on device: '.*a.csv'"), whole_file(tmp_path / "a.csv"):
        full()
    with pytest.raises(OSError, match="No space left on device: '.*frames'"), whole_folder(tmp_path / "frames"):
        full()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="another"), whole_file(tmp_path / "a.csv"):
        raise RuntimeError("another")
    assert no_room(OSError(errno.EACCES, "no")) is None


def test_what_torch_makes_of_it(tmp_path):
    code = """
import sys, torch
from pathlib import Path
from zoomvqa.files import whole_file
from zoomvqa.journal import open_journal
for value in (torch.ones(1_000_000), b"x" * 2_000_000):
    try:
        with whole_file(Path(sys.argv[1]) / "a.ckpt", "wb") as handle:
            torch.save({"a": value}, handle)
    except OSError as error:
        print(error)
path = Path(sys.argv[1]) / "j.part"
try:
    with open_journal(path, 1) as journal:
        for i in range(9999):
            journal.write(str(i), "x" * 1000)
except OSError as error:
    print(error)
with open_journal(path, 1) as journal:
    print(len(journal) == i > 0, [p.name for p in path.parent.glob("a*")])
"""
    done = mounted("1m", tmp_path, [sys.executable, "-c", code, str(tmp_path)])
    told = f"[Errno 28] No space left on device: '{tmp_path}"
    assert done.stdout.splitlines() == [f"{told}/a.ckpt'", f"{told}/a.ckpt'", f"{told}/j.part'", "True []"], (
        done.stderr
    )


def test_predict_keeps_what_it_has(command: Run, trained, labelled, tmp_path, monkeypatch):
    arguments = (f"ckpt={trained}/checkpoints/best.ckpt", f"input={labelled}", "output=s.csv", "workers=0")
    with monkeypatch.context() as patch:
        patch.setattr(rows, "_cell", full)
        ends_in(command("predict", *arguments), "s.csv")
    assert not (tmp_path / "s.csv").exists()
    outcome = command("predict", *arguments)
    assert outcome.code == 0, outcome.err
    assert "12 of 12 videos were scored before; going on" in outcome.err


@pytest.mark.slow
def test_the_disk_fills_while_scoring(trained, labelled, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    names = [str(path) for path in labelled.glob("*.mp4")] + [f"none/{'x' * 200}{i}.mp4" for i in range(3000)]
    (tmp_path / "list.txt").write_text("\n".join(names))
    options = [f"ckpt={trained}/checkpoints/best.ckpt", f"input={tmp_path}/list.txt", f"output={folder}/s.csv"]
    done = mounted("700k", folder, [sys.executable, str(ROOT / "predict.py"), *options, "workers=0"])
    assert done.returncode == 2, done.stderr[-2000:]
    lines = done.stderr.splitlines()
    assert lines[-1] == f"error: {folder}/s.csv.part: No space left on device"
    assert lines[-2].startswith(f"What was scored until now is in {folder}/s.csv.part")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_disk_is_full_when_a_checkpoint_is_written(labelled, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    environment = [f"ZOOMVQA_CACHE={tmp_path}/cache"]
    options = [*SMALL, *on(labelled), f"output={folder}/run", "logger=none"]
    done = mounted("300k", folder, ["env", *environment, sys.executable, str(ROOT / "train.py"), *options])
    assert done.returncode == 2, done.stderr[-2000:]
    told = done.stderr.splitlines()[-1]
    assert told.startswith(f"error: {folder}/run/checkpoints/")
    assert told.endswith(".ckpt: No space left on device")
    assert "Traceback" not in done.stderr


def test_pictures(command: Run, labelled, monkeypatch):
    from PIL import Image

    monkeypatch.setattr(Image.Image, "save", full)
    video = labelled / "testsrc_1.mp4"
    ends_in(command("extract_frames", f"input={video}", "output=frames"), "frames/testsrc_1")


def test_what_names_no_file_is_told_with_the_output(command: Run, labelled, monkeypatch):
    from zoomvqa.training import run

    monkeypatch.setattr(run, "_train", full)
    told = "run or the folder for temporary files"
    ends_in(command("train", *SMALL, *on(labelled), "output=run"), told)


def test_ffmpeg(monkeypatch, tmp_path):
    said = "av_interleaved_write_frame(): No space left on device\nConversion failed!\n"
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(encode.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(OSError, match="No space left on device: '.*out.mp4'"):
        encode.run_ffmpeg(["-i", "in.mp4", str(tmp_path / "out.mp4")])
    (tmp_path / "vmaf.json").write_text('{"pooled_met')
    with pytest.raises(OSError, match="No space left on device: '.*vmaf.json'"):
        encode._pooled(tmp_path / "vmaf.json")


def test_a_journal_that_cannot_be_begun(tmp_path):
    from zoomvqa import journal

    with pytest.MonkeyPatch.context() as patch:
        import sqlite3

        def connect(_):
            raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(journal, "_connect", connect)
        with (
            pytest.raises(OSError, match="No space left on device: '.*j.part'"),
            open_journal(tmp_path / "j.part", 1),
        ):
            pass
