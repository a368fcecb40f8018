"""The example of a branch of one's own: trained, fused with another, scored, and asked for without its plugin."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import zoomvqa
from cli.conftest import Run
from cli.test_mistakes import one_line
from cli.test_train_vqa import read

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PLUGIN = "examples.own_branch.own_branch"
OWN = (f"--config-dir={ROOT / 'examples' / 'own_branch' / 'conf'}",)


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def data(labelled, tmp_path) -> tuple[str, ...]:
    """A set of the user's own whose MOS is the brightness that its names tell; every content has both levels."""
    rows = list(csv.DictReader((labelled / "scores.csv").open()))
    table = tmp_path / "labels.csv"
    told = [f"{row['video']},{40 + 3 * number},{row['content']}" for number, row in enumerate(rows)]
    table.write_text("\n".join(["video,mos,content", *told]))
    return "data=mine", f"data.root={labelled}", f"data.annotations={table}", "data.val_share=0.5"


def agreed(checkpoints, labelled, tmp_path) -> Path:
    """A table of MOS that both branches agree with: two epochs teach them little else."""
    videos = sorted(path.name for path in labelled.glob("*.mp4"))
    scorers = [zoomvqa.load(checkpoint, device="cpu", plugins=[PLUGIN]) for checkpoint in checkpoints]
    scores = np.array([[scorer.score(labelled / video).score for video in videos] for scorer in scorers])
    z = ((scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)).mean(axis=0)
    splits = ["train", "val"] * (len(videos) // 2)
    told = [f"{v},{50 + 10 * s},{split}" for v, s, split in zip(videos, z, splits, strict=True)]
    (tmp_path / "agreed.csv").write_text("\n".join(["video,mos,split", *told]))
    return tmp_path / "agreed.csv"


def test_a_view_a_network_a_loss_and_a_set(command: Run, labelled, trained, data, tmp_path):
    small = ("trainer=cpu", "trainer.max_epochs=2")
    outcome = command("train", *OWN, "branch=thumbnails", *data, *small, "output=own")
    assert outcome.code == 0, outcome.err
    assert "Training small_conv on " in outcome.err
    entry = torch.load("own/checkpoints/best.ckpt", weights_only=True)["zoomvqa"]
    assert (entry["branch"], entry["plugins"], entry["view"]["kind"]) == ("thumbnails", [PLUGIN], "thumbnail")
    checkpoints = {
        "thumbnails": "own/checkpoints/best.ckpt",
        "frames_of_it": trained / "checkpoints" / "best.ckpt",
    }
    table = agreed(checkpoints.values(), labelled, tmp_path)
    sources = f"fuse={{{', '.join(f'{name}: {path}' for name, path in checkpoints.items())}}}"
    fused = command(
        "train", *OWN, "branch=fusion", sources, *data[:2], f"data.annotations={table}", "branch.weights=fit",
        f"plugins=[{PLUGIN}]", "branch.finetune=true", *small, "output=fused",
    )  # fmt: skip
    assert fused.code == 0, fused.err
    scored = command(
        "predict", "ckpt=fused/checkpoints/best.ckpt", f"input={labelled}", f"plugins=[{PLUGIN}]", "output=s.csv",
        "details=true", "workers=2",
    )  # fmt: skip
    assert scored.code == 0, scored.err
    rows = read(tmp_path / "s.csv")
    assert len(rows) == 12
    assert all(row["thumbnails"] and row["frames_of_it"] and row["score"] for row in rows)
    assert {row["branch"] for row in read(tmp_path / "s.details.csv")} == {"thumbnails", "frames_of_it"}
    again = zoomvqa.load("fused/checkpoints/best.ckpt", device="cpu", plugins=[PLUGIN])
    first = again.score(labelled / rows[0]["video"].rsplit("/", 1)[-1])
    assert first.score == pytest.approx(float(rows[0]["score"]), abs=1e-5)


def test_without_the_plugin(command: Run, data, tmp_path, labelled):
    assert command(
        "train", *OWN, "branch=thumbnails", *data, "trainer=cpu", "trainer.max_epochs=1", "output=own"
    ).code == 0  # fmt: skip
    words = [sys.executable, str(ROOT / "predict.py"), "ckpt=own/checkpoints/best.ckpt", f"input={labelled}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "got 'small_conv', expected one of patches, video" in line or "got 'thumbnail', expected one of" in line
    assert line.endswith(f"it was made with plugins=[{PLUGIN}]: give them")


def test_a_plugin_that_is_not_there(command: Run):
    outcome = command("predict", "ckpt=a", "input=b", "plugins=[my_package.nothing]")
    one_line(
        outcome, "plugins: my_package.nothing cannot be imported (ModuleNotFoundError: No module named 'my_pac"
    )


def test_a_plugin_with_a_mistake(command: Run, tmp_path, monkeypatch):
    (tmp_path / "broken_plugin.py").write_text("1 / 0\n")
    outcome = command("train", "plugins=[broken_plugin]", "data=folder", "data.root=x", "data.annotations=y")
    one_line(outcome, "plugins: broken_plugin cannot be imported (ZeroDivisionError: division by zero)")
