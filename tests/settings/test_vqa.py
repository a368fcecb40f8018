"""Settings of the VQA branch that do not go together."""

import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.settings.vqa import ClipView, vqa_branch


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            {"side": 40},
            "branch.view.side: got 40, expected a multiple of 6, which .*patch=6 fill.*; the nearest is 42",
        ),
        ({"side": 45, "grid": 8, "kind": "crop"}, "a multiple of 3"),
    ],
)
def test_patches_fill_the_picture(view, message):
    if "grid" in view:
        assert vqa_branch(view=ClipView(**view)).view.size == 360
        view = view | {"side": 40}
    with pytest.raises(SettingsError, match=message):
        vqa_branch(view=ClipView(**view))
    assert vqa_branch(view=ClipView(side=36)).view.side == 36
