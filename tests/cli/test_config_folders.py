"""Configs of the user's own: `--config-dir`, `hydra.searchpath`, a main config."""

import pytest

from cli.conftest import SMALL, Run
from cli.test_mistakes import one_line
from zoomvqa.cli.config_folders import choices, config_folder, config_folders, option, searched
from zoomvqa.cli.overrides import compositions, options_first


@pytest.fixture
def conf(tmp_path, labelled):
    """A folder of configs: an experiment, a set, callbacks, and a main config."""
    files = {
        "experiment/mine.yaml": "# @package _global_\nseed: 7\n"
        "trainer:\n  limit_train_batches: 1\n  benchmark: false\n",
        "data/ours.yaml": "defaults:\n  - _base\n  - _self_\nname: ours\nval_share: 0.4\n"
        f"root: {labelled}\nannotations: {labelled}/scores.csv\n",
        "callbacks/timer.yaml": "timer:\n  _target_: lightning.pytorch.callbacks.Timer\n",
        "my_train.yaml": "defaults:\n  - train\n  - _self_\nseed: 9\n",
        "far.yaml": f"defaults:\n  - train\n  - _self_\nhydra:\n  searchpath: [file://{tmp_path}/more]\n",
    }
    for name, text in files.items():
        path = tmp_path / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "more" / "experiment").mkdir(parents=True)
    (tmp_path / "more" / "experiment" / "other.yaml").write_text("# @package _global_\nseed: 11\n")
    return tmp_path / "conf"


def composed(*arguments):
    (config,) = compositions("train", [str(a) for a in arguments])
    return config


def test_a_folder_beside_ours(conf):
    for way in (("--config-dir", conf), (f"--config-dir={conf}",), (f"hydra.searchpath=[file://{conf}]",)):
        config = composed(*way, "experiment=mine", "data=ours", "callbacks=timer")
        assert (config.seed, config.trainer.limit_train_batches, config.trainer.benchmark) == (7, 1, False)
        assert (config.data.name, config.data.missing) == ("ours", "refuse")
        assert config.callbacks.timer._target_ == "lightning.pytorch.callbacks.Timer"


def test_a_main_config(conf):
    assert composed("--config-dir", conf, "--config-name", "my_train").seed == 9
    assert composed("-cd", conf, "-cn", "my_train.yaml", "experiment=mine", "branch=vqa").branch.name == "vqa"
    assert composed("--config-dir", conf, "-cn", "far", "experiment=other").seed == 11


def test_both_ways_at_once(conf):
    more = f"hydra.searchpath=[file://{conf.parent}/more]"
    assert composed("--config-dir", conf, more, "experiment=other", "data=ours").seed == 11


def test_choices_are_of_all_folders(conf):
    folders = config_folders(searched("train", ["--config-dir", str(conf)]))
    assert folders == [config_folder(), conf]
    assert choices("experiment", folders) == ["iqa_vdpve", "mine", "vqa_lsvq", "vqa_vdpve"]
    assert "_base" not in choices("data", folders)


def test_packages_are_left_to_hydra():
    assert searched("train", ["hydra.searchpath=[pkg://a.b]"]) == ["pkg://a.b"]
    assert config_folders(["pkg://a.b"]) == [config_folder()]


def test_options():
    assert option(["--config-dir", "a"], "--config-dir") == "a"
    assert option(["--config-dir=a"], "--config-dir") == "a"
    assert option(["--config-dir"], "--config-dir") == ""
    assert option(["config-dir=a"], "--config-dir") is None
    assert options_first(["a=1", "--config-dir", "x", "~b", "-m"]) == ["--config-dir", "x", "-m", "a=1", "~b"]


def test_mistakes(conf, command: Run):
    told = command("train", "--config-dir", "nowhere", "experiment=mine")
    one_line(told, "--config-dir: got 'nowhere', expected a folder: there is none of this name")
    told = command("train", "hydra.searchpath=[file:///no/where]", "experiment=mine")
    one_line(told, "hydra.searchpath: got 'file:///no/where', expected folders, as [file:///home/me/conf]")
    told = command("train", "--config-dir", conf, "experiment=mien")
    one_line(
        told, "experiment: got 'mien', expected one of iqa_vdpve, mine, vqa_lsvq, vqa_vdpve (did you mean 'mine'"
    )
    told = command("train", "--config-dir", conf, "experiment=mine", "sed=3")
    one_line(told, "sed: unknown key (did you mean 'seed'?)")
    told = command("train", "experiment=mine", "--config-dir", conf, "seed=x")
    one_line(told, "seed: got 'x', expected a valid integer")
    told = command("train", "--config-dir", conf, "callbacks=tmer")
    one_line(told, "callbacks: got 'tmer', expected one of timer (did you mean 'timer'?)")
    told = command("train", "callbacks=timer")
    one_line(told, "callbacks: got 'timer', expected settings by name, such as callbacks.NAME._target_=…")
    told = command("train", "--config-dir", conf, "-cn", "my_trian")
    one_line(told, "--config-name: got 'my_trian', expected one of check_data, ")


@pytest.mark.slow
def test_a_run_with_an_experiment_and_a_set_of_ones_own(conf, command: Run, tmp_path):
    branch = [a for a in SMALL if not a.startswith("data=")]
    asked = (
        "data=ours",
        *branch,
        "--config-dir",
        conf,
        "experiment=mine",
        "callbacks=timer",
        "trainer.max_epochs=1",
    )
    outcome = command("train", *asked, "output=run")
    assert outcome.code == 0, outcome.err
    told = (tmp_path / "run" / "config.yaml").read_text()
    assert "limit_train_batches: 1" in told
    assert "name: ours" in told
    sweep = ("-m", *asked, "output=swept", "seed=1,2", "trainer.detect_anomaly=true")
    outcome = command("train", *sweep)
    assert outcome.code == 0, outcome.err
    assert len(list((tmp_path / "swept").glob("*/checkpoints/best.ckpt"))) == 2
