"""What is installed, and that configs, settings and files agree."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from pydantic import TypeAdapter

from zoomvqa.checkpoints import NAMED
from zoomvqa.settings.branch import BranchSettings
from zoomvqa.settings.commands import (
    Branch,
    CheckSettings,
    ConvertSettings,
    EvaluateSettings,
    ExtractSettings,
    FuseSettings,
    LadderSettings,
    PredictSettings,
    TrainSettings,
)
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.settings.iqa import iqa_branch
from zoomvqa.settings.loss import loss_settings
from zoomvqa.settings.vqa import vqa_branch

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"


def composed(name: str, *overrides: str) -> dict:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(name, list(overrides)), resolve=False)


@pytest.mark.parametrize(("name", "kind"), [("iqa", iqa_branch), ("vqa", vqa_branch)])
def test_the_branch_s_config_is_the_settings_defaults(name, kind):
    branch = composed("train", "data=folder", f"branch={name}")["branch"]
    assert BranchSettings.model_validate(branch) == kind()


@pytest.mark.parametrize(
    ("experiment", "branch", "patch"),
    [("vqa_vdpve", "vqa", 6), ("vqa_lsvq", "vqa", 4), ("iqa_vdpve", "iqa", None)],
)
def test_experiments_are_the_published_recipes(experiment, branch, patch):
    config = composed("train", f"experiment={experiment}", "data.root=x")
    assert config["data"]["name"] == experiment.split("_")[1]
    assert config["weights"]["published"] == config["weights"]["source"]
    settings = TypeAdapter(Branch).validate_python(config["branch"])
    assert (config["branch"]["name"], config["trainer"]["max_epochs"]) == (branch, 30)
    if patch:
        assert (settings.network.patch, settings.view.side, settings.view.grid) == (patch, 8 * patch, 7)
        assert config["weights"]["source"] in NAMED
        assert (settings.optimiser.lr, settings.optimiser.ema_decay, settings.loading.batch_size) == (
            1e-3,
            0.999,
            16,
        )
    else:
        assert (settings.optimiser.lr, settings.loading.batch_size) == (4e-4, 32)


def test_a_recipe_may_set_any_key(tmp_path):
    recipe = tmp_path / "recipe" / "folder_iqa.yaml"
    recipe.parent.mkdir()
    recipe.write_text("# @package _global_\ncalibration_folds: 4\nearly_stopping:\n  patience: 3\n")
    config = composed("train", "data=folder", f"hydra.searchpath=[file://{tmp_path}]")
    assert (config["calibration_folds"], config["early_stopping"]["patience"]) == (4, 3)
    assert composed("train", "data=folder", "calibration_folds=2")["calibration_folds"] == 2


@pytest.mark.parametrize("branch", ["iqa", "vqa"])
@pytest.mark.parametrize("loss", sorted(p.stem for p in (CONF / "loss").glob("*.yaml")))
def test_a_loss_brings_its_own_keys(branch, loss):
    settings = TypeAdapter(Branch).validate_python(
        composed("train", "data=folder", f"branch={branch}", f"loss={loss}")["branch"]
    )
    assert settings.loss == loss_settings(loss)


# Of FAST-VQA's options/fast/fast-b.yml, of the defaults of Zoom-VQA's VQA/split_train.py with the flags of its
# readme, and of the flags there for IQA/train_DDP_single.py.
PUBLISHED = {
    "vqa_lsvq": ("plcc_rank", 0.3, 1e-3, 0.1, 0.05, 2.5, 0.999, False, 16, 0.1, 0.5),
    "vqa_vdpve": ("plcc_rank", 0.3, 1e-3, 0.1, 0.01, 2.5, 0.999, False, 16, 0.1, 0.5),
    "iqa_vdpve": ("smooth_l1", 0.3, 4e-4, 0.2, 0.01, 0.0, None, True, 32, 0.1, 0.1),
}


@pytest.mark.parametrize("experiment", PUBLISHED)
def test_numbers_of_experiments_are_the_published_ones(experiment):
    branch = TypeAdapter(Branch).validate_python(
        composed("train", f"experiment={experiment}", "data.root=x")["branch"]
    )
    loss, step = branch.loss, branch.optimiser
    assert step.betas == (0.9, 0.999)
    assert loss.soft_srcc_weight == 0
    found = (
        *(
            loss.name,
            loss.model_dump().get("rank_weight", 0.3),
            step.lr,
            step.backbone_lr_factor,
            step.weight_decay,
            step.warmup_epochs,
        ),
        *(
            step.ema_decay,
            step.ema_ramp,
            branch.loading.batch_size,
            branch.network.drop_path,
            branch.network.dropout,
        ),
    )
    assert found == PUBLISHED[experiment]


def test_weights_of_experiments_are_the_published_ones():
    lsvq = composed("train", "experiment=vqa_lsvq", "data.root=x")["weights"]
    assert (lsvq["source"], lsvq["fragment_bias"]) == ("kinetics-swin-t", "zero")
    assert composed("train", "experiment=vqa_vdpve", "data.root=x")["weights"]["source"] == "fast-vqa-b"
    iqa = composed("train", "experiment=iqa_vdpve", "data.root=x")
    assert (iqa["weights"]["source"], iqa["branch"]["network"]["backbone"]) == (
        "imagenet",
        "convnext_tiny.fb_in1k",
    )


def test_an_experiment_on_another_set():
    data = composed("train", "experiment=vqa_vdpve", "data=folder", "data.root=x", "data.annotations=y")["data"]
    assert (data["name"], data["annotations"], data["content_pattern"]) == ("folder", "y", None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("train", TrainSettings),
        ("predict", PredictSettings),
        ("evaluate", EvaluateSettings),
        ("check_data", CheckSettings),
        ("fuse", FuseSettings),
        ("convert_checkpoint", ConvertSettings),
        ("extract_frames", ExtractSettings),
        ("make_ladder", LadderSettings),
    ],
)
def test_every_setting_is_in_its_config_and_no_other(name, kind):
    # Groups that are left out by default, and what only the fusion has.
    left_out = {"train": {"fuse", "iqa", "vqa", "protocol", "probe"}, "evaluate": {"data", "probe"}}
    missing = left_out.get(name, {"data"})
    assert set(composed(name)) == set(kind.model_fields) - missing


def test_the_fusion_s_settings_are_in_its_config():
    config = composed("train", "branch=fusion")
    assert set(config) == set(TrainSettings.model_fields) - {"weights", "protocol", "probe"}
    assert set(config["branch"]) == set(FusionBranch.model_fields)
    assert FusionBranch.model_validate(config["branch"]) == FusionBranch()


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.yaml")), ids=lambda p: str(p.relative_to(CONF)))
def test_every_config_says_what_it_is(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")


def test_deprecated_calls_are_errors_but_for_those_that_are_listed():
    text = "import warnings; warnings.warn('`use_polars` is deprecated', DeprecationWarning, stacklevel=1)"
    code = compile(text, "x.py", "exec")
    for name in ("zoomvqa", "zoomvqa.views.crops", "test_package", "cli.test_train", "somebody.else"):
        with pytest.raises(DeprecationWarning):
            exec(code, {"__name__": name})  # noqa: S102
    exec(code, {"__name__": "ray.data.context"})  # noqa: S102


def test_the_fusions_config_names_no_loss_that_is_refused():
    text = (CONF / "branch" / "fusion.yaml").read_text(encoding="utf-8")
    assert not [name for name in ("plcc", "rank", "norm_in_norm") if name in text]


@pytest.mark.slow
def test_the_wheel_holds_the_configs(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    for path in CONF.rglob("*.yaml"):
        assert f"zoomvqa/conf/{path.relative_to(CONF).as_posix()}" in names
    assert "zoomvqa/py.typed" in names
    # Outside the clone, from the wheel's files alone.
    code = "import zoomvqa.cli.overrides as a; print(a.config_folder())"
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(tmp_path / "site" / "zoomvqa" / "conf")
