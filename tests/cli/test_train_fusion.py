"""`train.py branch=fusion`, and scoring with the checkpoint that it leaves: by command and from Python."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import zoomvqa
from cli.conftest import PICTURES, SMALL, Run, on
from cli.test_train_vqa import TINY, read
from zoomvqa.cli import train
from zoomvqa.errors import CheckpointError, SettingsError, VideoError
from zoomvqa.video.reader import Video

pytestmark = pytest.mark.slow
FUSION = ("branch=fusion", "data=folder", "trainer=cpu")
VIDEOS = [f"{name}_{level}.mp4" for level in (1, 8) for name in PICTURES]


@pytest.fixture(scope="module")
def branches(trained, labelled, tmp_path_factory) -> tuple[str, str]:
    """The checkpoints of two trained branches."""
    output = tmp_path_factory.mktemp("vqa") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", *TINY, *on(labelled), f"output={output}"])
        with pytest.raises(SystemExit) as ended:
            train.main()
    assert not ended.value.code
    return str(trained / "checkpoints" / "best.ckpt"), str(output / "checkpoints" / "best.ckpt")


@pytest.fixture(scope="module")
def agreed(branches, labelled, tmp_path_factory) -> tuple[str, ...]:
    """The overrides of a set whose MOS both branches agree with: two epochs teach them little else."""
    table = tmp_path_factory.mktemp("agreed") / "scores.csv"
    scorers = [zoomvqa.load(b, device="cpu") for b in branches]
    rows = []
    for split, videos in (("train", VIDEOS[:6]), ("val", VIDEOS[6:])):
        scores = np.array([[s.score(labelled / v).score for v in videos] for s in scorers])
        z = (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)
        rows += [[v, 50 + 10 * s, split] for v, s in zip(videos, z.mean(axis=0), strict=True)]
    with table.open("w", newline="") as handle:
        csv.writer(handle).writerows([["video", "mos", "split"], *rows])
    return f"data.root={labelled}", f"data.annotations={table}", "data.mos_range=[0,100]"


@pytest.fixture(scope="module")
def fused(branches, agreed, tmp_path_factory) -> Path:
    """The folder of a fusion."""
    output = tmp_path_factory.mktemp("fused") / "run"
    arguments = [*FUSION, *agreed, f"iqa={branches[0]}", f"vqa={branches[1]}", f"output={output}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            train.main()
    assert not ended.value.code
    return output


def test_the_checkpoint_describes_itself(fused):
    raw = torch.load(fused / "checkpoints" / "best.ckpt", weights_only=True)
    entry = raw["zoomvqa"]
    assert (entry["branch"], entry["unit"], entry["mos_range"]) == ("fusion", "mos", [0.0, 100.0])
    assert (entry["scale"]["split"], entry["scale"]["weights"]) == ("val", {"iqa": 0.5, "vqa": 0.5})
    assert entry["scale"]["videos"] == len(read(fused / "fit_predictions.csv")) == 6
    assert entry["figures"]["srcc"] > 0.8
    assert {k.split(".")[1] for k in raw["state_dict"]} == {"iqa", "vqa"}
    assert set(json.loads((fused / "branch_scores.json").read_text())["scores"]) == {"iqa", "vqa"}
    assert (fused / "fit_scatter.png").stat().st_size > 1000


def test_the_same_command_again_says_the_same(branches, agreed, command: Run):
    arguments = (*FUSION, *agreed, f"iqa={branches[0]}", f"vqa={branches[1]}", "output=run", "resume=auto")
    outcomes = [command("train", *arguments) for _ in range(2)]
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes[1].err
    said = [next(line for line in o.err.splitlines() if "fused" in line) for o in outcomes]
    assert said[0] == said[1]


def test_a_calibration_on_contents_that_were_left_out(labelled, command: Run, tmp_path):
    """Both branches with fold scores; all training and validation videos calibrate the fusion."""
    folds, ours = "calibration_folds=2", (*on(labelled), "data.mos_range=[0,6]")
    small = [a for a in SMALL if not a.startswith("trainer.max")]
    for arguments, output in ((small, "i"), (TINY, "v")):
        outcome = command("train", *arguments, *ours, folds, "trainer.max_epochs=1", f"output={output}")
        assert outcome.code in {0, 1}, outcome.err
        rows = read(tmp_path / output / "fold_scores.csv")
        split = {row["video"] for row in read(tmp_path / output / "val_predictions.csv")}
        assert not split & {row["video"] for row in rows}
        contents = [{row["video"].rsplit("_", 1)[0] for row in rows if row["fold"] == f} for f in "01"]
        assert all(contents)
        assert not contents[0] & contents[1]
        assert not (tmp_path / output / "folds" / "0" / "checkpoints").exists()
    given = (*FUSION, *ours, "iqa=i/checkpoints/best.ckpt", "vqa=v/checkpoints/best.ckpt")
    for name in "iv":  # an epoch on few videos orders them at random
        path, wide = tmp_path / name / "fold_scores.csv", {"i": "score", "v": "standard_score"}[name]
        rows = read(path)
        for row in rows:
            row[wide] = str(float(row["mos"]) if name == "i" else 3 * (float(row["mos"]) - 3))
        with path.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    outcome = command("train", *given, "branch.split=folds", "output=f")
    assert outcome.code == 0, outcome.err
    assert "Calibrated on the 12 videos of the folds split" in " ".join(outcome.err.split())
    raw = torch.load(tmp_path / "f" / "checkpoints" / "best.ckpt", weights_only=True)["zoomvqa"]["scale"]
    assert (raw["split"], raw["videos"]) == ("folds", 12)
    assert [raw["logistic"][end] for end in ("low", "high")] == [0.0, 6.0]
    left_out = {row["video"]: float(row["score"]) for row in read(tmp_path / "i" / "fold_scores.csv")}
    own = json.loads((tmp_path / "f" / "branch_scores.json").read_text())["scores"]["iqa"]
    assert raw["branches"]["iqa"]["mean"] == pytest.approx(
        (sum(left_out.values()) + sum(own[len(left_out) :])) / 12
    )
    one = command("train", *given, "calibration_folds=2", "output=h")
    assert (one.code, one.err.splitlines()[-1].split(",")[0]) == (
        2,
        "error: calibration_folds: got 2 with branch=fusion",
    )
    (tmp_path / "i" / "fold_scores.csv").unlink()
    outcome = command("train", *given, "branch.split=folds", "output=g")
    assert outcome.code == 2
    assert "error: branch.split: got folds, but the run of iqa=" in outcome.err
    assert "Scoring with both" not in outcome.err


def test_one_video_alone_scores_as_among_others(fused, agreed, labelled, command: Run, tmp_path):
    ckpt = f"ckpt={fused / 'checkpoints' / 'best.ckpt'}"
    outcome = command("predict", ckpt, f"input={labelled}", "output=all.csv", "details=true")
    assert outcome.code == 0, outcome.err
    rows = {Path(r["video"]).name: r for r in read(tmp_path / "all.csv")}
    name, row = next(iter(rows.items()))
    assert command("predict", ckpt, f"input={labelled / name}", "output=one.csv").code == 0
    (alone,) = read(tmp_path / "one.csv")
    assert [alone[k] for k in ("score", "iqa", "vqa")] == [row[k] for k in ("score", "iqa", "vqa")]
    assert 0 <= float(row["score"]) <= 100
    fitted = {r["video"]: float(r["prediction"]) for r in read(fused / "fit_predictions.csv")}
    assert {n: float(rows[n]["score"]) for n in fitted} == pytest.approx(fitted, abs=2e-6)
    kinds = [r["kind"] for r in read(tmp_path / "all.details.csv")]
    assert kinds.count("clip") == 4 * len(rows)
    assert kinds.count("frame") == sum(int(r["frames"]) for r in rows.values())


def test_from_python(fused, labelled):
    scorer = zoomvqa.load(str(fused / "checkpoints" / "best.ckpt"), device="cpu")
    video = labelled / "testsrc2_1.mp4"
    found = scorer.score(str(video), patches=True)
    assert set(found.branches) == {"iqa", "vqa"}
    assert (len(found.clips), found.frames[0].first) == (4, 0)
    assert found.frames[0].patches.weight.shape == (1, 2, 2)
    assert ((found.frames[0].patches.weight >= 0) & (found.frames[0].patches.weight <= 1)).all()
    assert found.clips[1].start > found.clips[0].start
    frames = np.stack(list(Video(video).frames(range(26))))
    for pixels in (frames, torch.from_numpy(frames)):
        again = scorer.score(pixels, fps=25)
        assert (again.score, again.branches, again.reader) == (found.score, found.branches, "array")
    with pytest.raises(VideoError, match="no such file"):
        scorer.score("none.mp4")
    with pytest.raises(VideoError, match="fps: frames in memory need"):
        scorer.score(frames)
    with pytest.raises(VideoError, match="uint8 RGB"):
        scorer.score(frames[0], fps=25)
    with pytest.raises(VideoError, match="fps: a file tells its own"):
        scorer.score(video, fps=25)
    for options, message in (
        ({"precision": "bf16"}, "precision: got 'bf16'"),
        ({"test_clips": 0}, "test_clips: got 0"),
        ({"compile": True, "precision": "16-mixed"}, "compile: got true with precision=16-mixed"),
    ):
        with pytest.raises(SettingsError, match=message):
            zoomvqa.load(str(fused / "checkpoints" / "best.ckpt"), **options)
    with pytest.raises(CheckpointError, match="no such file"):
        zoomvqa.load(Path("none.ckpt"))


def test_options_of_both_branches(fused, labelled, command: Run, tmp_path):
    ckpt = f"ckpt={fused / 'checkpoints' / 'best.ckpt'}"
    outcome = command("predict", ckpt, f"input={labelled / 'testsrc2_1.mp4'}", "test_crops=5", "test_clips=2")
    assert outcome.code == 0, outcome.err
    assert read(tmp_path / "scores.csv")[0]["clips"] == "2"


def test_a_fitted_share_and_the_training_split(branches, agreed, command: Run, tmp_path):
    both = (f"iqa={branches[0]}", f"vqa={branches[1]}")
    options = ("branch.share=fit", "branch.split=train", "output=run")
    outcome = command("train", *FUSION, *agreed, *both, *options)
    assert outcome.code == 0, outcome.err
    scale = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)["zoomvqa"]["scale"]
    assert scale["split"] == "train"
    assert scale["weights"]["iqa"] + scale["weights"]["vqa"] == pytest.approx(1.0)
    assert min(scale["weights"].values()) >= 0
    assert "Calibrated on the" in outcome.err


def test_three_branches_two_of_them_clips(branches, fused, agreed, labelled, command: Run, tmp_path):
    """A branch that is there twice with half of its weight is the fusion of two."""
    iqa, vqa = branches
    sources = f"fuse={{fragments: {vqa}, again: {vqa}, frames_of_it: {iqa}}}"
    weights = "branch.weights={fragments: 1, again: 1, frames_of_it: 2}"
    outcome = command("train", *FUSION, *agreed, sources, weights, "output=run")
    assert outcome.code == 0, outcome.err
    for checkpoint in (tmp_path / "run", fused):
        path = checkpoint / "checkpoints" / "best.ckpt"
        name = f"{checkpoint.parent.name}_{checkpoint.name}.csv" if checkpoint == fused else "three.csv"
        scored = command(
            "predict",
            f"ckpt={path}",
            f"input={labelled}",
            f"output={tmp_path / name}",
            "workers=0",
            "details=true",
        )
        assert scored.code == 0, scored.err
    two = read(tmp_path / f"{fused.parent.name}_{fused.name}.csv")
    for row, other in zip(read(tmp_path / "three.csv"), two, strict=True):
        assert (row["fragments"], row["again"], row["frames_of_it"]) == (other["vqa"], other["vqa"], other["iqa"])
        assert float(row["score"]) == pytest.approx(float(other["score"]), abs=1e-4)
        assert int(row["clips"]) == 2 * int(other["clips"])
    raw = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    assert raw["zoomvqa"]["scale"]["weights"] == {"fragments": 0.25, "again": 0.25, "frames_of_it": 0.5}
    assert {key.split(".")[1] for key in raw["state_dict"]} == {"fragments", "again", "frames_of_it"}


def test_fine_tuning(branches, agreed, labelled, command: Run, tmp_path):
    both = (f"iqa={branches[0]}", f"vqa={branches[1]}")
    options = ("branch.finetune=true", "trainer.max_epochs=1", "branch.loading.workers=0", "output=run")
    outcome = command("train", *FUSION, *agreed, *both, *options)
    assert outcome.code == 0, outcome.err
    state = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    before = torch.load(branches[0], weights_only=True)["state_dict"]
    assert not torch.equal(state["net.iqa.head_score.0.weight"], before["net.head_score.0.weight"])
    calibrated = torch.load(tmp_path / "run" / "checkpoints" / "calibrated.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(calibrated["net.iqa.head_score.0.weight"], before["net.head_score.0.weight"])
    assert command("predict", "ckpt=run/checkpoints/best.ckpt", f"input={labelled}", "output=s.csv").code == 0
    scores = {Path(r["video"]).name: float(r["score"]) for r in read(tmp_path / "s.csv")}
    validated = {r["video"]: float(r["prediction"]) for r in read(tmp_path / "run" / "val_predictions.csv")}
    assert {name: scores[name] for name in validated} == pytest.approx(validated, abs=1e-4)


def test_fine_tuning_on_two_processes(branches, agreed, tmp_path):
    """The second process reads the scores that the first has made, and validation is that of one process."""
    both = (f"iqa={branches[0]}", f"vqa={branches[1]}")
    options = ("branch.finetune=true", "trainer=ddp_cpu2", "trainer.max_epochs=1", "branch.loading.workers=0")
    script = Path(__file__).parents[2] / "train.py"
    command = [sys.executable, str(script), *FUSION[:2], *agreed, *both, *options, "output=run"]
    environment = os.environ | {"ZOOMVQA_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("Scoring with the branches") == 1
    rows = read(tmp_path / "run" / "val_predictions.csv")
    assert sorted(r["video"] for r in rows) == sorted(VIDEOS[6:])
    scorer = zoomvqa.load(str(tmp_path / "run" / "checkpoints" / "best.ckpt"), device="cpu")
    root = Path(agreed[0].removeprefix("data.root="))
    for row in rows:
        assert scorer.score(root / row["video"]).score == pytest.approx(float(row["prediction"]), abs=1e-4)


def test_taking_a_branch_out_again(fused, branches, labelled, command: Run, tmp_path):
    ckpt = f"input={fused / 'checkpoints' / 'best.ckpt'}"
    assert command("convert_checkpoint", ckpt, "output=v.ckpt", "take=vqa").code == 0
    video = labelled / VIDEOS[0]
    whole, alone = (
        zoomvqa.load(str(p), device="cpu") for p in (fused / "checkpoints" / "best.ckpt", tmp_path / "v.ckpt")
    )
    assert alone.score(video).score == whole.score(video).branches["vqa"]
    outcome = command("convert_checkpoint", ckpt, "output=w.ckpt")
    assert outcome.code == 2
    assert "is a fused checkpoint; give take=iqa or take=vqa" in outcome.err


def test_a_branch_alone_gets_a_calibration_from_its_own_validation(labelled, command: Run, tmp_path):
    """With enough validation videos that it orders rightly; else it says that it has none."""
    outcome = command("train", *TINY, *on(labelled), "data.val_share=0.6", "output=run", "trainer.max_epochs=4")
    assert outcome.code == 0, outcome.err
    entry = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)["zoomvqa"]
    rises = entry["figures"]["plcc"] > 0
    assert (entry["unit"], entry["calibration"] is not None) == (("mos", True) if rises else ("none", False))
    outcome = command("predict", "ckpt=run/checkpoints/best.ckpt", f"input={labelled}", "output=s.csv")
    assert ("no calibration" in outcome.err) == (not rises)
    if rises:
        low, high = (float(v) for v in entry["mos_range"])
        spread = 0.1 * (high - low)
        assert all(low - spread <= float(r["score"]) <= high + spread for r in read(tmp_path / "s.csv"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iqa": "VQA"}, "is a checkpoint of the vqa branch, expected one of the iqa branch"),
        ({"vqa": "none.ckpt"}, "no such file: none.ckpt"),
        ({"vqa": None}, "vqa: a value is missing; give vqa="),
        ({"branch.split": "test"}, "branch.split: got 'test', expected 'train', 'val' or 'folds'"),
        ({"branch.share": "1.5"}, "branch.share: got 1.5"),
        (
            {"branch.weights": "{iqa: 1}"},
            "branch.weights: got {'iqa': 1.0}, expected a number for each of iqa, vqa",
        ),
        ({"branch.weights": "fit", "branch.share": "0.5"}, "branch.share: got a value beside branch.weights"),
        ({"iqa": None, "vqa": None, "fuse": "{one: IQA}"}, "fuse: got 1 branch, expected two at least"),
        ({"fuse": "{iqa: VQA}"}, "fuse: iqa is given as iqa=… too; give one of them"),
        ({"iqa": None, "vqa": None, "fuse": "{Mine: IQA, b: VQA}"}, "fuse.Mine: got 'Mine', expected the name of"),
        ({"weights": "imagenet"}, "weights.source: unknown key"),
        ({"data.layout": "frames"}, "data.layout: got 'frames', expected 'videos'"),
        ({"output": "IQA_RUN", "overwrite": "true"}, "is from; give another"),
        (
            {"branch.finetune": "true", "branch.loss.name": "plcc"},
            "branch.loss.name: got 'plcc'",
        ),
        ({"trainer": "gpu"}, "trainer.accelerator: 'cuda:0' cannot be used here"),
    ],
)
def test_mistakes(branches, agreed, command: Run, change, message):
    values = {"iqa": branches[0], "vqa": branches[1], "output": "run"} | change
    known = {"IQA_RUN": str(Path(branches[0]).parents[1]), "VQA": branches[1], "IQA": branches[0]}
    for word, path in known.items():
        values = {k: v and v.replace(word, path) for k, v in values.items()}
    outcome = command("train", *FUSION, *agreed, *(f"{k}={v}" for k, v in values.items() if v is not None))
    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err
