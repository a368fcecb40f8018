"""Several processes score together, started by Lightning."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Run
from cli.test_train_vqa import read

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "predict.py"


def test_rows_are_those_of_one_process(command: Run, trained, labelled, tmp_path):
    best = f"ckpt={trained / 'checkpoints' / 'best.ckpt'}"
    lines = [str(path) for path in sorted(labelled.glob("*.mp4"))[:5]]
    (tmp_path / "list.txt").write_text("\n".join([*lines, "none.mp4", lines[0]]))
    arguments = [best, "input=list.txt", "workers=0", "details=true"]
    assert command("predict", *arguments, "output=one.csv").code == 1
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments, "output=two.csv", "devices=2", "device=cpu"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr[-3000:]
    assert done.stderr.count("6 of 7 videos scored: two.csv") == 1
    for name in ("{}.csv", "{}.details.csv"):
        one, two = (read(tmp_path / name.format(count)) for count in ("one", "two"))
        assert len(one) == len(two)
        for mine, theirs in zip(one, two, strict=True):
            assert mine.keys() == theirs.keys()
            for key in mine.keys() - {"seconds", "score", "iqa", "vqa"}:
                assert mine[key] == theirs[key]
            if mine["score"]:
                assert float(theirs["score"]) == pytest.approx(float(mine["score"]), abs=2e-6)
    assert sorted(p.name for p in tmp_path.glob("two.*")) == ["two.csv", "two.details.csv"]


def test_more_gpus_than_there_are(command: Run, trained, labelled):
    best = f"ckpt={trained / 'checkpoints' / 'best.ckpt'}"
    outcome = command("predict", best, f"input={labelled}", "devices=99", "device=cuda")
    assert outcome.code == 2
    assert outcome.err.strip().splitlines()[-1].startswith("error: devices: ")
