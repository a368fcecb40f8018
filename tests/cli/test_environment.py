"""Commands without a terminal, without readers, and without an environment."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import SMALL, on
from cli.test_train_vqa import read

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which `$PY` is Python and `$ROOT` the folder of the commands."""
    environment |= {"PY": sys.executable, "ROOT": str(ROOT), "PYTHONPATH": str(ROOT)}
    environment |= {"ZOOMVQA_CACHE": str(folder / "cache")}
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("redirected", ["2>&-", "<&- >&- 2>&-", "2>&1 | head -1", "2>/dev/full >/dev/full"])
def test_results_are_whole_though_nobody_reads_what_is_said(labelled, trained, tmp_path, redirected):
    options = f"ckpt={trained}/checkpoints/best.ckpt data=folder {' '.join(on(labelled))} output=s.csv workers=1"
    script = f'"$PY" "$ROOT/predict.py" {options} {redirected}; exit ${{PIPESTATUS[0]}}'
    done = shell(script, tmp_path, PATH=os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) <= 1
    assert {row["status"] for row in read(tmp_path / "s.csv")} == {"ok"}
    assert [path.name for path in tmp_path.glob("s.csv*")] == ["s.csv"]


def test_a_mistake_keeps_its_exit_code_though_nobody_reads_it(tmp_path):
    for redirected in ("2>&-", "2>/dev/full", "2>&1 | true"):
        script = f'"$PY" "$ROOT/predict.py" ckpt=none.ckpt input=a.mp4 {redirected}; exit ${{PIPESTATUS[0]}}'
        done = shell(script, tmp_path, PATH=os.environ["PATH"])
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_training_without_a_reader(labelled, tmp_path):
    options = shlex.join([*SMALL, *on(labelled), "output=run", "trainer.max_epochs=1"])
    script = f'"$PY" "$ROOT/train.py" {options} 2>&1 | head -1; exit ${{PIPESTATUS[0]}}'
    done = shell(script, tmp_path, PATH=os.environ["PATH"])
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "run" / "figures.json").is_file()


def test_no_environment(labelled, trained, make_video, tmp_path):
    """`env -i`: no PATH, no HOME. A compiler is found where the system has it, and ninja beside Python."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.mp4").write_bytes(make_video("cli_good.mp4").read_bytes())
    for script in (
        f'predict.py" ckpt={trained}/checkpoints/best.ckpt input=src output=s.csv workers=1',
        'scripts/extract_frames.py" input=src output=frames',
        'scripts/make_ladder.py" sources=src output=ladder seconds=0.5 segments=1 rungs=1 height=64',
        f'train.py" {shlex.join([*SMALL, *on(labelled)])} output=run',
    ):
        command = f'exec env -i ZOOMVQA_CACHE="$ZOOMVQA_CACHE" PYTHONPATH="$ROOT" "$PY" "$ROOT/{script}'
        done = shell(command, tmp_path, PATH=os.environ["PATH"])
        assert done.returncode == 0, done.stderr[-3000:]
        assert "Traceback" not in done.stderr
