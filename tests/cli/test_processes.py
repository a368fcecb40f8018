"""Several processes, started by torchrun: the same figures and predictions as of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cli.conftest import SMALL, Run, on
from cli.test_train_vqa import TINY, read

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "train.py"


def torchrun(script: Path, processes: int, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    more = [f"trainer.devices={processes}", "trainer.strategy=ddp", "output=run"]
    environment = os.environ | {"ZOOMVQA_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*start, str(script), *arguments, *more],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("processes", "branch"), [(2, TINY), (3, TINY), (2, SMALL)], ids=["vqa-2", "vqa-3", "iqa-2"]
)
def test_torchrun(labelled, command: Run, tmp_path, processes, branch):
    """Validation videos do not divide by the processes: the figures are of each video once."""
    share = "data.val_share=0.5"
    done = torchrun(SCRIPT, processes, tmp_path, *branch, *on(labelled), share, "branch.loading.batch_size=6")
    assert done.returncode == 0, done.stderr[-3000:]
    predictions = read(tmp_path / "run" / "val_predictions.csv")
    assert len({r["video"] for r in predictions}) == len(predictions)
    entry = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)["zoomvqa"]
    ckpt = "ckpt=run/checkpoints/best.ckpt"
    outcome = command("predict", ckpt, "data=folder", *on(labelled), "data.val_share=0.5", "output=s.csv")
    assert outcome.code == 0, outcome.err
    figures = json.loads((tmp_path / "run" / "figures.json").read_text())
    assert figures["videos"] == len(predictions) == len(read(tmp_path / "s.csv"))
    assert f"SRCC {figures['srcc']:.4f}  " in outcome.out
    assert entry["figures"]["videos"] == figures["videos"]
    if entry["calibration"] is None:
        alone = {r["video"]: float(r["score"]) for r in read(tmp_path / "s.csv")}
        assert alone == pytest.approx({r["video"]: float(r["prediction"]) for r in predictions}, abs=2e-6)


def test_a_validation_video_that_fails(labelled, command: Run, tmp_path):
    """One of two processes cannot read one: it is left out everywhere, named once, and nobody waits for it."""
    script = tmp_path / "start.py"
    script.write_text(
        "from zoomvqa.cli import train\nfrom zoomvqa.errors import VideoError\n"
        "from zoomvqa.video.reader import Video\n"
        "frames = Video.frames\n"
        "def fail(self, indices):\n"
        "    if self.path.name == 'smptebars_8.mp4':\n"
        "        raise VideoError('its end is missing')\n"
        "    return frames(self, indices)\n"
        "Video.frames = fail\n"
        "if __name__ == '__main__':\n    train.main()\n"
    )
    split = ("data.val_share=0.5", "data.split_seed=3", "trainer.max_epochs=2")
    done = torchrun(script, 2, tmp_path, *TINY, *on(labelled), *split)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("validation goes on without it: smptebars_8.mp4: its end is missing") == 1
    assert "1 videos could not be read: smptebars_8.mp4" in done.stderr
    named = {row["video"] for row in read(tmp_path / "run" / "val_predictions.csv")}
    assert "smptebars_8.mp4" not in named
    assert "smptebars_1.mp4" in named
    assert json.loads((tmp_path / "run" / "figures.json").read_text())["videos"] == len(named) == 5
