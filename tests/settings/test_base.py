import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import Settings, check
from zoomvqa.settings.commands import Branch
from zoomvqa.settings.data import DataSettings
from zoomvqa.settings.iqa import FrameView, IQABranch

DATA = {"name": "x", "root": ".", "annotations": "a.csv"}


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            IQABranch,
            {"view": {"crp": 3}},
            "branch.view.crp: unknown key (did you mean 'crop'?); known here: resize",
        ),
        (IQABranch, {"lose": {}}, "branch.lose: unknown key (did you mean 'loss'?)"),
        (
            IQABranch,
            {"loss": {"name": "smoth_l1"}},
            "branch.loss.name: got 'smoth_l1', expected 'smooth_l1', 'l1'",
        ),
        (IQABranch, {"loss": {"name": "plc"}}, "(did you mean 'plcc'?)"),
        (IQABranch, {"view": {"crop": 600}}, "branch.view.crop: got 600, expected at most resize, which is 512"),
        (IQABranch, {"view": {"crop": -1}}, "branch.view.crop: got -1, expected greater than 0"),
        (IQABranch, {"view": {"flip": 1.5}}, "branch.view.flip: got 1.5, expected less than or equal to 1"),
        (IQABranch, {"optimiser": {"lr": float("nan")}}, "branch.optimiser.lr: got nan"),
        (IQABranch, {"optimiser": {"ema_decay": 2}}, "branch.optimiser.ema_decay: got 2, expected less than 1"),
        (IQABranch, {"loading": {"batch_size": "x", "workers": -1}}, "(and 1 more)"),
        (
            DataSettings,
            DATA | {"reader": "decor"},
            "decord, pyav, torchcodec, or raw:WIDTHxHEIGHT@RATE for .yuv files (did you mean 'decord'?)",
        ),
        (DataSettings, DATA | {"mos_range": [5, 1]}, "branch.mos_range: got [5, 1], expected [lowest, highest]"),
        (DataSettings, DATA | {"test_share": 0.9}, "expected val_share + test_share below 1"),
        (DataSettings, DATA | {"content_pattern": "("}, "expected a regular expression"),
        (DataSettings, DATA | {"content_pattern": "a"}, "exactly one group"),
        (DataSettings, {"name": "x"}, "branch.root: a value is missing"),
    ],
)
def test_messages(kind, values, message):
    with pytest.raises(SettingsError) as caught:
        check(kind, values, "branch")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        FrameView().crop = 3


class WithBranch(Settings):
    branch: Branch


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "vqb"}, "branch.name: got 'vqb', expected 'iqa', 'vqa', 'fusion' (did you mean 'vqa'?)"),
        ({}, "branch.name: a value is missing"),
        ({"name": "vqa", "view": {"gird": 7}}, "branch.view.gird: unknown key (did you mean 'grid'?)"),
        ({"name": "iqa", "view": {"grid": 7}}, "branch.view.grid: unknown key; known here: resize, crop"),
        (
            {"name": "vqa", "view": {"resize": 0}},
            "branch.view.resize: got 0, expected a short side in pixels, or -1",
        ),
        ({"name": "vqa", "network": {"backbone": "swin_tny"}}, "(did you mean 'swin_tiny'?)"),
        ({"name": "vqa", "mixing": {}}, "branch.mixing: unknown key"),
    ],
)
def test_a_choice_of_branches(values, message):
    with pytest.raises(SettingsError) as caught:
        check(WithBranch, {"branch": values})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
