"""`--help`: every key with its comment, examples, and no second of waiting."""

import subprocess
import sys
from pathlib import Path

import pytest

from zoomvqa.cli import entry
from zoomvqa.cli.comments import read_comments, read_group
from zoomvqa.cli.config_folders import config_folder
from zoomvqa.cli.examples import EXAMPLES
from zoomvqa.cli.help import asked_for_help, tell_help
from zoomvqa.errors import SettingsError

COMMANDS = sorted(EXAMPLES)
ROOT = Path(__file__).parents[2]


def told(capsys, name: str, *arguments: str) -> str:
    tell_help(name, arguments, f"{name}.py")
    return capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_its_keys_and_examples(capsys, name):
    text = told(capsys, name)
    about = read_comments(config_folder() / f"{name}.yaml")
    assert text.startswith(about.about[0])
    for key in about.keys:
        assert f"\n  {key}" in text or any(other.startswith(f"{key}.") for other in about.keys)
    assert 4 <= len(EXAMPLES[name]) <= 7
    assert text.count(f"\n  python {name}.py ") == len(EXAMPLES[name])
    for line in ("powered by Hydra", "hydra.run", "job_logging"):
        assert line not in text
    assert max(len(line) for line in text.splitlines() if not line.startswith(" ")) <= 125


def test_comments_stand_below_their_keys(capsys):
    text = " ".join(told(capsys, "train").split())
    assert "seed=0 Seeds weights, order, crops and flips." in text
    assert "trainer.limit_train_batches=null So many batches make an epoch" in text
    assert "branch.view.crop=320 Side of the square the network sees" in text
    assert "data=demo which labelled set: demo, folder, frames, one of the field" in text
    assert "cvd2014" in text


def test_keys_are_those_of_what_is_chosen(capsys):
    text = told(capsys, "train", "branch=vqa", "data=konvid1k", "logger=[csv,wandb]", "trainer=ddp", "--help")
    assert "branch.view.side=" in text
    assert "data.name=konvid1k" in text
    assert "data.max_failures=10" in text  # of the file that it is based on
    assert "logger.wandb.offline=false" in text
    assert "trainer.strategy=ddp" in text
    assert "branch.view.crop" not in text


def test_configs_of_ones_own_are_told(capsys, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ours.yaml").write_text("# Our set.\ndefaults:\n  - _base\n  - _self_\nname: ours\n")
    text = told(capsys, "train", "--config-dir", str(tmp_path), "data=ours")
    assert "Keys with data=ours. Our set." in text
    assert "data.name=ours" in text


def test_a_main_config_of_ones_own(capsys, tmp_path):
    (tmp_path / "my_train.yaml").write_text("# Mine.\n\ndefaults:\n  - train\n  - _self_\nseed: 9\n")
    text = told(capsys, "train", "--config-dir", str(tmp_path), "-cn", "my_train")
    assert text.startswith("Mine.\n")
    assert "  seed=9\n      Seeds weights" in text
    assert "  branch=iqa\n" in text
    with pytest.raises(SettingsError, match="--config-name: got 'mine', expected the name of a config"):
        told(capsys, "train", "--config-dir", str(tmp_path), "-cn", "mine")


def test_comments_of_all_kinds(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "# @package _global_\n# What it is.\ndefaults:\n  - data: null   # which set\n  - override hydra/x: y\n\n"
        "# One,\n# two.\na: [1, 2]\nb:\n  # Deep.\n  c: 'x # y'   # and behind\n  d: 1\nhydra:\n  e: 1\n"
    )
    found = read_comments(tmp_path / "a.yaml")
    assert (found.about, found.whole) == (["What it is."], True)
    assert found.choices == {"data": ("null", "which set")}
    assert found.keys["a"] == ("[1, 2]", "One, two.")
    assert found.keys["b.d"] == ("1", "")
    assert list(found.keys) == ["a", "b", "b.c", "b.d"]
    assert found.keys["b.c"].told == "Deep. and behind"


def test_every_key_has_a_comment():
    """Recipes, experiments and debug only set keys that other files explain."""
    conf, lacking = config_folder(), []
    for path in sorted(conf.rglob("*.yaml")):
        group = path.parent.relative_to(conf).as_posix()
        if group in {"recipe", "experiment", "debug", "hparams_search"} or group.startswith("hydra"):
            continue
        found = read_group("" if group == "." else group, path.stem, [conf])
        lacking += [f"{path}: {key}" for key, (value, told) in found.keys.items() if value and not told]
        if group == ".":
            lacking += [f"{path}: {key}" for key, choice in found.choices.items() if not choice.told]
    assert lacking == []


def test_when_it_is_asked_for():
    assert asked_for_help(["branch=vqa", "--help"])
    assert asked_for_help(["-h"])
    assert not asked_for_help(["--hydra-help", "output=--help"])


def test_a_folder_that_is_not_there(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train.py", "--help", "--config-dir", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        entry.train()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: --config-dir: got 'nowhere', expected a folder: there is none of this name\n"
    )


@pytest.mark.parametrize(
    "name", ["train.py", "predict.py", *(f"scripts/{n}.py" for n in COMMANDS if n not in {"train", "predict"})]
)
def test_scripts_answer_without_importing_what_they_need(name):
    code = (
        f"import sys, runpy; sys.argv = [{name!r}, '--help']; runpy.run_path({name!r}, run_name='__main__'); "
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'hydra', 'pydantic', 'numpy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert f"  python {name} " in done.stdout
    assert done.stdout.endswith("[]\n")
