import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import Settings, check
from zoomvqa.settings.branch import BranchSettings
from zoomvqa.settings.commands import Branch
from zoomvqa.settings.data import DataSettings
from zoomvqa.settings.iqa import FrameView, iqa_branch
from zoomvqa.settings.vqa import vqa_branch

BRANCHES = {"iqa": iqa_branch().model_dump(mode="json"), "vqa": vqa_branch().model_dump(mode="json")}
DATA = {"name": "x", "root": ".", "annotations": "a.csv"}


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            BranchSettings,
            {"view": {"crp": 3}},
            "branch.view.crp: unknown key (did you mean 'crop'?); known here: kind, resize",
        ),
        (BranchSettings, {"lose": {}}, "branch.lose: unknown key (did you mean 'loss'?)"),
        (
            BranchSettings,
            {"loss": {"name": "smoth_l1"}},
            "branch.loss.name: got 'smoth_l1', expected one of smooth_l1, l1",
        ),
        (BranchSettings, {"loss": {"name": "plc"}}, "(did you mean 'plcc'?)"),
        (
            BranchSettings,
            {"view": {"crop": 600}},
            "branch.view.crop: got 600, expected at most resize, which is 512",
        ),
        (BranchSettings, {"view": {"crop": -1}}, "branch.view.crop: got -1, expected greater than 0"),
        (BranchSettings, {"view": {"flip": 1.5}}, "branch.view.flip: got 1.5, expected less than or equal to 1"),
        (BranchSettings, {"optimiser": {"lr": float("nan")}}, "branch.optimiser.lr: got nan"),
        (
            BranchSettings,
            {"optimiser": {"ema_decay": 2}},
            "branch.optimiser.ema_decay: got 2, expected less than 1",
        ),
        (BranchSettings, {"loading": {"batch_size": "x", "workers": -1}}, "(and 1 more)"),
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
    if kind is BranchSettings:
        values = changed(BRANCHES["iqa"], values)
    with pytest.raises(SettingsError) as caught:
        check(kind, values, "branch")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def changed(values: dict, by: dict) -> dict:
    """Nested values with others in the places of some."""
    return values | {k: changed(values.get(k, {}), v) if isinstance(v, dict) else v for k, v in by.items()}


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        FrameView().crop = 3


class WithBranch(Settings):
    branch: Branch


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "score"}, "branch.name: got 'score', expected the name of a branch: that name is taken"),
        ({"name": "Mine"}, "branch.name: got 'Mine', expected the name of a branch: lower-case letters"),
        (
            {"name": "vqa", "view": {"kind": "fragmnts"}},
            "branch.view.kind: got 'fragmnts', expected one of frame_crops, ",
        ),
        ({"name": "vqa", "view": {"kind": "fragmnts"}}, "(did you mean 'fragments'?)"),
        (
            {"name": "vqa", "view": 3},
            "branch.view: got 3, expected settings of its own, such as branch.v",
        ),
        ({"name": "vqa", "view": {"kind": None}}, "branch.view.kind: a value is missing; expected one of"),
        (
            {"name": "iqa", "network": BRANCHES["vqa"]["network"]},
            "branch.sampling.kind: got 'frame_rate', expected 'clips' with branch.network.kind=video",
        ),
        (
            {"name": "iqa", "loading": {"kind": "part"}},
            "branch.loading.kind: got 'part', expected 'parts', 'videos' (did you mean 'parts'?)",
        ),
        ({"name": "vqa", "view": {"gird": 7}}, "branch.view.gird: unknown key (did you mean 'grid'?)"),
        ({"name": "iqa", "view": {"grid": 7}}, "branch.view.grid: unknown key; known here: kind, resize, crop"),
        (
            {"name": "vqa", "view": {"resize": 0}},
            "branch.view.resize: got 0, expected a short side in pixels, or -1",
        ),
        ({"name": "vqa", "network": {"backbone": "swin_tny"}}, "(did you mean 'swin_tiny'?)"),
        (
            {"name": "vqa", "mixing": {"mixup": 0.4}},
            "branch.mixing.mixup: got 0.4, expected 0 with branch.loading.kind=videos",
        ),
    ],
)
def test_a_choice_of_branches(values, message):
    values = changed(BRANCHES.get(values["name"], BRANCHES["vqa"]), values)
    with pytest.raises(SettingsError) as caught:
        check(WithBranch, {"branch": values})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
