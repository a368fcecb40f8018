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
from zoomvqa.losses import SCALE_FREE
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
from zoomvqa.settings.iqa import IQABranch
from zoomvqa.settings.vqa import VQABranch

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"


def composed(name: str, *overrides: str) -> dict:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(name, list(overrides)), resolve=False)


@pytest.mark.parametrize(("name", "kind"), [("iqa", IQABranch), ("vqa", VQABranch)])
def test_the_branch_s_config_is_the_settings_defaults(name, kind):
    branch = composed("train", "data=folder", f"branch={name}")["branch"]
    assert kind.model_validate(branch) == kind()


@pytest.mark.parametrize(
    ("experiment", "branch", "patch"),
    [("vqa_vdpve", "vqa", 6), ("vqa_lsvq", "vqa", 4), ("iqa_vdpve", "iqa", None)],
)
def test_experiments_are_the_published_recipes(experiment, branch, patch):
    config = composed("train", f"experiment={experiment}", "data.root=x", "data.annotations=y")
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
    missing = {"iqa", "vqa", "protocol"} if name == "train" else {"data"}
    assert set(composed(name)) == set(kind.model_fields) - missing


def test_the_fusion_s_settings_are_in_its_config():
    config = composed("train", "branch=fusion")
    assert set(config) == set(TrainSettings.model_fields) - {"weights", "protocol"}
    assert set(config["branch"]) == set(FusionBranch.model_fields)
    assert FusionBranch.model_validate(config["branch"]) == FusionBranch()


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.yaml")), ids=lambda p: str(p.relative_to(CONF)))
def test_every_config_says_what_it_is(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")


def test_deprecated_calls_of_our_own_are_errors():
    code = compile("import warnings; warnings.warn('old', DeprecationWarning, stacklevel=1)", "x.py", "exec")
    for name in ("zoomvqa", "zoomvqa.data.views", "test_package", "cli.test_train"):
        with pytest.raises(DeprecationWarning):
            exec(code, {"__name__": name})  # noqa: S102
    exec(code, {"__name__": "somebody.else"})  # noqa: S102


def test_the_fusions_config_names_no_loss_that_is_refused():
    text = (CONF / "branch" / "fusion.yaml").read_text(encoding="utf-8")
    assert not [name for name in SCALE_FREE if name in text]


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
