"""Several processes, started by torchrun: the same figures and predictions as of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cli.conftest import Run, on
from cli.test_train_vqa import TINY, read

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "train.py"


@pytest.mark.parametrize("processes", [2, 3])
def test_torchrun(labelled, command: Run, tmp_path, processes):
    """Validation videos do not divide by the processes: the figures are of each video once."""
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    more = ["branch.loading.batch_size=6", f"trainer.devices={processes}", "trainer.strategy=ddp", "output=run"]
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*start, str(SCRIPT), *TINY, *on(labelled), "data.val_share=0.5", *more],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
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
