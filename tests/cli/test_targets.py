"""What configs name by `_target_` is made with Hydra, and by the command line's word alone."""

import sys

import pytest
from lightning.pytorch.callbacks import Timer

from zoomvqa.cli.targets import locate, make, refuse_bad_targets, refuse_targets_of_a_folder
from zoomvqa.errors import SettingsError, ToolError

LIGHTNING = "lightning.pytorch.callbacks"


class Named:
    """Stands in for the settings of a training."""

    def __init__(self, callbacks=(), logger=()):
        self.callbacks, self.logger = dict(callbacks), dict(logger)


def test_made_with_its_arguments():
    made = make("callbacks.a", {"_target_": f"{LIGHTNING}.Timer", "duration": {"seconds": 7}})
    assert isinstance(made, Timer)
    assert made.time_remaining() == 7


def test_made_of_parts():
    options = {"_target_": "collections.Counter", "a": {"_target_": "fractions.Fraction", "numerator": 3}}
    assert make("callbacks.a", options)["a"] == 3


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "no_such_module.A",
            r"there is no module 'no_such_module' \(PYTHONPATH=FOLDER adds the folder of yours\)",
        ),
        (f"{LIGHTNING}.Tmer", r"lightning.pytorch.callbacks has no 'Tmer' \(did you mean 'Timer'\?\)"),
        ("fractions.Fraction.x", "Fraction has no 'x'"),
    ],
)
def test_paths_to_nothing(path, message):
    with pytest.raises(
        SettingsError, match=f"callbacks.a._target_: got {path}, expected the dotted path .*{message}"
    ):
        locate("callbacks.a", path)


def test_a_module_that_lacks_a_package(tmp_path, monkeypatch):
    (tmp_path / "lacks_a_package.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ToolError, match="got lacks_a_package.A, whose module cannot be imported: No module named 'a_p"
    ):
        locate("callbacks.a", "lacks_a_package.A")
    assert "lacks_a_package" not in sys.modules


@pytest.mark.parametrize("options", [{"durations": 3}, {"duration": 3.5}])
def test_arguments_that_it_refuses(options):
    with pytest.raises(
        SettingsError, match="callbacks.a: lightning.pytorch.callbacks.Timer cannot be made: "
    ) as told:
        make("callbacks.a", {"_target_": f"{LIGHTNING}.Timer", **options})
    assert "\n" not in str(told.value)


def test_kinds_are_told_before_anything_is_made():
    refuse_bad_targets(Named({"a": {"_target_": f"{LIGHTNING}.Timer"}}, {"csv": {}}))
    with pytest.raises(
        SettingsError, match="callbacks.a._target_: got fractions.Fraction, expected a subclass of li"
    ):
        refuse_bad_targets(Named({"a": {"_target_": "fractions.Fraction"}}))
    with pytest.raises(SettingsError, match=r"expected a subclass of lightning\.pytorch\.loggers\.Logger"):
        refuse_bad_targets(Named(logger={"a": {"_target_": f"{LIGHTNING}.Timer"}}))


def test_a_folder_names_no_code():
    refuse_targets_of_a_folder("run", Named(logger={"csv": {"flush": 3}}))
    for settings in (Named({"a": {"_target_": "b.C"}}), Named(logger={"a": {"_target_": "b.C"}})):
        told = r"resume: got run, whose config has (callbacks|logger)\.a\._target_=b\.C, expected the run's own"
        with pytest.raises(SettingsError, match=told):
            refuse_targets_of_a_folder("run", settings)
