"""What scoring says of a validation video is what validation said of it."""

import csv

import pytest

from cli.conftest import SMALL, on


@pytest.mark.slow
def test_a_backbone_that_only_looks_like_those_with_an_mlp(command, labelled, tmp_path):
    """pvt_v2 has a convolution between the first linear layer and its activation."""
    run = tmp_path / "run"
    arguments = (*SMALL, *on(labelled), "branch.network.backbone=pvt_v2_b0", "branch.optimiser.lr=1e-3")
    trained = command("train", *arguments, f"output={run}")
    assert trained.code == 0, trained.err
    rows = list(csv.DictReader((run / "val_predictions.csv").open()))
    said = {row["video"]: float(row["prediction"]) for row in rows}
    assert len(set(said.values())) > 1
    for precision, apart in (("32-true", 2e-5), ("bf16-mixed", 2e-2)):
        scored = command(
            "predict", f"ckpt={run / 'checkpoints' / 'best.ckpt'}", "data=folder", *on(labelled), "split=val",
            f"output={tmp_path / precision}.csv", "device=cpu", "workers=0", f"precision={precision}",
        )  # fmt: skip
        assert scored.code == 0, scored.err
        rows = list(csv.DictReader((tmp_path / f"{precision}.csv").open()))
        assert {row["video"]: float(row["score"]) for row in rows} == pytest.approx(said, abs=apart, rel=apart)
