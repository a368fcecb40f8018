"""Values with any character in them."""

import subprocess

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from cli.conftest import Run
from cli.test_mistakes import one_line
from zoomvqa.cli.overrides import compositions
from zoomvqa.cli.plain_text import plain_text, quoted

NAMES = [
    *("[draft].mp4", "[a]", "{a}.csv", "{a: b}", "$x", "$(id).mp4", "a\\b.mp4", "a\\", "it's", "\\'", "a'\\'b"),
    *(
        "'a'.mp4",
        '"a',
        "(",
        "a,b;c",
        "a=b",
        "é ü",
        "x[",
        "a:b",
        "# a",
        "~nobody-is-called-so/x",
        "${",
        "${a b?}.mp4",
    ),
]


def value(argument: str) -> str:
    override = OverridesParser.create().parse_override(plain_text(argument))
    return OmegaConf.to_container(OmegaConf.create({"v": override.value()}), resolve=True)["v"]


@pytest.mark.parametrize("key", ["input", "output", "data.root", "data.sets.lsvq.root", "+iqa", "resume"])
@pytest.mark.parametrize("name", NAMES)
def test_keys_of_files_take_any_name(key, name):
    assert value(f"{key}={name}") == name


@pytest.mark.parametrize("name", ["${seed}.mp4", "'a.mp4'", "[a.ckpt,b.ckpt]", "a${oc.env:HOME}.mp4"])
def test_a_file_that_is_there_comes_first(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    assert value(f"ckpt={name}") == name


@pytest.mark.parametrize(
    "argument",
    [
        *(
            "ckpt=[a.ckpt,b.ckpt]",
            "predictions=[a.csv]",
            "data.annotations={train: a b.txt, val: c.txt}",
            "input=null",
        ),
        *("output='a b.csv'", 'output="a.csv"', "branch.loss.name=l1", "seed=1", "ckpt=???", "output="),
    ],
)
def test_what_is_left_to_hydra(argument):
    assert plain_text(argument) == argument


def test_expressions_are_resolved():
    assert plain_text("output=runs/${seed}") == "output='runs/${seed}'"
    assert plain_text("output=runs/a,b", sweeping=True) == "output=runs/a,b"


@pytest.mark.parametrize("pattern", [r"^(A\d+)_", r"([^_]+)_\d{2,}$", r"(?i)^(a|b)", r"'(.)", r"(x)\\", "({2})"])
@pytest.mark.parametrize("quotes", [False, True])
def test_a_pattern_as_the_readme_has_it(pattern, quotes):
    text = quoted(pattern) if quotes else pattern
    argument = plain_text(f"data.content_pattern={text}")
    (config,) = compositions("train", ["data=folder", "data.root=a", "data.annotations=b", argument])
    assert OmegaConf.to_container(config, resolve=False)["data"]["content_pattern"] == pattern


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("min_share=(", "min_share: got (, expected quotes around a text with such characters: \"min_share='('\""),
        ("devices=[1", "devices: got [1, expected a list such as [a,b], or quotes around a text"),
        ("ray={address: a", "ray: got {address: a, expected a mapping such as {a: b}, or quotes around"),
        ("precision=$a\\`(\"'", "got $a\\`(\"', expected quotes"),
        ("é=1", "é: this is no name of a key"),
        ("output=${seeed}.csv", "output: Interpolation key 'seeed' not found"),
    ],
)
def test_what_hydra_cannot_read(command: Run, argument, message):
    one_line(command("predict", "ckpt=a.ckpt", "input=a.mp4", argument), message)


def test_the_advice_works_in_a_shell(command: Run):
    outcome = command("predict", "ckpt=a.ckpt", "input=a.mp4", "precision=$a\\`(\"'")
    advised = outcome.err[outcome.err.index(': "') + 2 :].strip()
    told = subprocess.run(
        ["bash", "-c", f"printf %s {advised}"], capture_output=True, text=True, check=True
    ).stdout
    parsed = OverridesParser.create().parse_override(told)
    assert (parsed.key_or_group, parsed.value()) == ("precision", "$a\\`(\"'")


def test_weights_of_train_alone_have_a_short_form():
    assert plain_text("weights=fit") == "weights.source='fit'"
    assert plain_text("weights=fit", command="fuse") == "weights=fit"
    assert plain_text("labels=a [1].csv", command="fuse") == "labels='a [1].csv'"
