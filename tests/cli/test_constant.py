"""Networks that predict the same of every video are said at once, and are no success."""

import csv
import json

import pytest
import torch

from cli.conftest import SMALL, on
from zoomvqa.training.module import QualityModule

TOLD = "validation predictions are 0.0000: the last ReLU of the scores gets negative values alone"
START = [argument for argument in SMALL if not argument.startswith("weights=")]


@pytest.fixture(scope="module")
def dead(trained, tmp_path_factory):
    """A checkpoint of a network whose last ReLU lets nothing through."""
    checkpoint = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    for name, tensor in checkpoint["state_dict"].items():
        if name.endswith("head_score.3.bias"):
            tensor.fill_(-1e4)
    path = tmp_path_factory.mktemp("dead") / "dead.ckpt"
    torch.save(checkpoint, path)
    return path


@pytest.mark.slow
def test_a_dead_network_is_said_in_its_first_epoch_and_ends_with_an_error(command, labelled, dead, tmp_path):
    arguments = (*START, *on(labelled), f"weights={dead}", f"output={tmp_path / 'run'}")
    outcome = command("train", *arguments)
    assert outcome.code == 2
    assert outcome.err.count("Epoch 0: all ") == outcome.err.count("Epoch ") == 1
    assert outcome.err.count(TOLD) == 2
    assert "error: training failed, even in its best epoch: all " in outcome.err.splitlines()[-1]
    assert "branch.optimiser.lr" in outcome.err.splitlines()[-1]
    assert not (tmp_path / "run" / "figures.json").exists()
    again = command("train", *arguments, "resume=auto")
    assert (again.code, again.err.splitlines()[-1]) == (2, outcome.err.splitlines()[-1])


@pytest.mark.slow
def test_a_network_that_dies_after_its_best_epoch_is_done_in_part(command, labelled, tmp_path, monkeypatch):
    true = QualityModule.score

    def score(self: QualityModule, *given: object) -> torch.Tensor:
        return true(self, *given) * (0 if self.current_epoch else 1)

    monkeypatch.setattr(QualityModule, "score", score)
    outcome = command("train", *SMALL, *on(labelled), f"output={tmp_path / 'run'}")
    assert outcome.code == 1, outcome.err
    assert "Epoch 1: all " in outcome.err
    assert "In the last epoch all validation predictions were equal; best.ckpt is of an earlier one" in outcome.err
    assert json.loads((tmp_path / "run" / "figures.json").read_text())["srcc"] is not None


@pytest.mark.slow
def test_one_validation_video_tells_nothing(command, labelled, dead, tmp_path):
    rows = list(csv.DictReader((labelled / "scores.csv").open()))
    table = tmp_path / "one.csv"
    told = [f"{row['video']},{row['mos']},{'val' if not number else 'train'}" for number, row in enumerate(rows)]
    table.write_text("\n".join(["video,mos,split", *told]))
    outcome = command(
        "train", *START, f"data.root={labelled}", f"data.annotations={table}", "data.val_share=0",
        f"weights={dead}", f"output={tmp_path / 'run'}",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "validation predictions are" not in outcome.err


@pytest.mark.slow
def test_dead_jobs_of_a_sweep_have_no_figures(command, labelled, dead, tmp_path):
    outcome = command(
        "train", "-m", *START, *on(labelled), f"weights={dead}", "seed=1,2", "trainer.max_epochs=1",
        f"hydra.sweep.dir={tmp_path / 'sweep'}",
    )  # fmt: skip
    assert outcome.code == 2
    assert outcome.err.count("error: training failed, even in its best epoch") == 2
    rows = list(csv.DictReader((tmp_path / "sweep" / "sweep.csv").open()))
    assert [row["selection"] for row in rows] == ["", ""]


@pytest.mark.slow
def test_equal_predictions_of_a_labelled_set_are_said(command, labelled, dead, tmp_path):
    outcome = command(
        "predict", f"ckpt={dead}", "data=folder", *on(labelled), "split=val", f"output={tmp_path / 's.csv'}",
        "device=cpu", "workers=0",
    )  # fmt: skip
    assert outcome.code == 0
    assert "IQA predictions are 0.0000: it does not tell these videos apart." in outcome.err
    assert "Correlations are not defined" not in outcome.err
