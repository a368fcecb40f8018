"""`train.py trainer.precision=…-true`: the network in that dtype, everything around it in float32."""

import shutil

import pytest
import torch

from cli.conftest import SMALL, Run, on
from cli.test_train_fusion import FUSION, agreed, branches  # noqa: F401  fixtures
from cli.test_train_vqa import TINY, read
from zoomvqa.training import fitting
from zoomvqa.training.module import QualityModule

pytestmark = pytest.mark.slow
DTYPES = {"bf16-true": torch.bfloat16, "16-true": torch.float16, "64-true": torch.float64}
# What scores in float32 are apart by from a validation in the dtype, as shares of a score.
APART = {"bf16-true": 2e-2, "16-true": 5e-3, "64-true": 2e-5}
IQA = (*SMALL, "branch.optimiser.ema_decay=0.9", "branch.mixing.mixup=0.4")
VQA = (*TINY, "branch.network.drop_path=0.2")


def dtypes(folder) -> dict[str, set[torch.dtype]]:
    """The dtypes of the raw network's and the average's tensors in a run's last checkpoint."""
    state = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return {
        prefix: {v.dtype for k, v in state.items() if k.startswith(prefix) and v.is_floating_point()}
        for prefix in ("net.", "averaged.")
    }


def scored(command: Run, folder, source: tuple[str, ...]) -> dict[str, float]:
    output = folder.with_name(f"{folder.name}.csv")
    told = command(
        "predict", f"ckpt={folder / 'checkpoints' / 'best.ckpt'}", "data=folder", *source, "split=val",
        f"output={output}", "workers=0", "device=cpu",
    )  # fmt: skip
    assert told.code == 0, told.err
    return {row["video"]: float(row["score"]) for row in read(output)}


def validated(folder) -> dict[str, float]:
    return {row["video"]: float(row["prediction"]) for row in read(folder / "val_predictions.csv")}


@pytest.mark.parametrize("precision", DTYPES)
@pytest.mark.parametrize("branch", [IQA, VQA], ids=["iqa", "vqa"])
def test_the_network_has_the_dtype_and_nothing_else(
    labelled, command: Run, tmp_path, monkeypatch, branch, precision
):
    seen = set()
    real = QualityModule.batch_loss

    def looked(module, prediction, mos, sets):
        loss = real(module, prediction, mos, sets)
        seen.update({prediction.dtype, mos.dtype, loss.dtype})
        return loss

    kept = fitting.build_callbacks
    monkeypatch.setattr(QualityModule, "batch_loss", looked)
    monkeypatch.setattr(
        fitting, "build_callbacks", lambda *a: [*kept(*a), Copies(tmp_path / "cut", tmp_path / "run")]
    )
    arguments = (*branch, *on(labelled), f"trainer.precision={precision}")
    outcome = command("train", *arguments, "output=run")
    assert outcome.code == 0, outcome.err
    assert seen == {torch.float32}
    assert dtypes(tmp_path / "run") == {"net.": {DTYPES[precision]}, "averaged.": {torch.float32}}
    said = validated(tmp_path / "run")
    apart = APART[precision]
    assert scored(command, tmp_path / "run", on(labelled)) == pytest.approx(said, rel=apart, abs=apart)
    # It goes on from the end of its first epoch to the same weights.
    monkeypatch.setattr(fitting, "build_callbacks", kept)
    outcome = command("train", "resume=cut")
    assert outcome.code == 0, outcome.err
    whole, cut = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for name in ("run", "cut")
    )
    assert all(torch.equal(value, cut[name]) for name, value in whole.items())


class Copies(fitting.Callback):
    """Copies a run's folder as it is when the second epoch starts."""

    def __init__(self, to, run) -> None:
        self._to, self._run = to, run

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        if trainer.current_epoch == 1:
            shutil.copytree(self._run, self._to)


def test_fine_tuning_a_fusion(branches, agreed, command: Run, tmp_path):  # noqa: F811
    given = (*FUSION, *agreed, f"iqa={branches[0]}", f"vqa={branches[1]}", "branch.finetune=true")
    options = ("trainer.max_epochs=1", "branch.loading.workers=0", "trainer.precision=bf16-true")
    outcome = command("train", *given, *options, "branch.optimiser.ema_decay=0.9", "output=run")
    assert outcome.code == 0, outcome.err
    assert dtypes(tmp_path / "run") == {"net.": {torch.bfloat16}, "averaged.": {torch.float32}}
    said = validated(tmp_path / "run")
    assert scored(command, tmp_path / "run", agreed) == pytest.approx(said, abs=1.0)  # of 0 to 100


def test_what_is_compiled_on_a_cpu_has_float32_weights(labelled, command: Run):
    outcome = command("train", *VQA, *on(labelled), "trainer.precision=bf16-true", "compile=true", "output=c")
    assert outcome.code == 2
    wanted = "error: compile: got true with trainer.precision=bf16-true on a CPU, expected 32-true or bf16-mixed"
    assert wanted in outcome.err
