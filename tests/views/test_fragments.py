import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from zoomvqa.errors import VideoError
from zoomvqa.settings.vqa import ClipView
from zoomvqa.views.fragments import ClipPictures, FragmentCutter, plan_fragments, plan_view, resized_shape

FOLDER = Path(__file__).parents[1] / "golden"
PLACES = json.loads((FOLDER / "fragments.json").read_text())
PIXELS = json.loads((FOLDER / "pixels.json").read_text())


@pytest.mark.parametrize("case", PLACES, ids=lambda c: f"{c['height']}x{c['width']}")
def test_places_of_the_release(case):
    plan = plan_fragments(case["height"], case["width"], case["grid"], case["fragment"])
    got = np.stack([plan.top, plan.left], axis=-1)
    assert got.tolist() == case["top_left"]


@pytest.mark.parametrize("seed", range(len(PIXELS)))
def test_pixels_of_the_release(seed):
    case = PIXELS[seed]
    shape = eval(case["rule"].split("256, ")[1].split(", dtype")[0])  # noqa: S307  our own golden file
    frames = np.random.RandomState(seed + 1).randint(0, 256, shape, dtype=np.uint8)
    height, width = resized_shape(*shape[1:3], case["rsize"])
    assert [height, width] == case["resized"]
    cutter = FragmentCutter(shape[1:3], plan_fragments(height, width, 7, 8 * case["patch"]))
    picture = torch.from_numpy(np.stack([cutter(frame) for frame in frames]))
    clip = picture.permute(3, 0, 1, 2)
    assert list(clip.shape) == case["shape"]
    # The release resizes whole pictures: a few pixels fall on the other side of a whole level.
    assert abs(int(clip.long().sum()) - case["sum"]) <= 1e-4 * clip.numel()
    row = clip[0, 0, 0, :12].float()
    assert (row - torch.tensor(case["row_0"])).abs().max() <= 1
    whole = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255.0
    if case["rsize"] != -1:
        whole = functional.interpolate(whole, (height, width), mode="bilinear", align_corners=False)
    whole = (whole * 255.0).to(torch.uint8)
    plan = plan_fragments(height, width, 7, 8 * case["patch"])
    side = plan.side
    for i, j in ((0, 0), (3, 4), (6, 6)):
        top, left = plan.top[i, j], plan.left[i, j]
        expected = whole[:, :, top : top + side, left : left + side]
        got = picture[:, i * side : (i + 1) * side, j * side : (j + 1) * side].permute(0, 3, 1, 2)
        difference = (got.int() - expected.int()).abs()
        assert difference.max() <= 1
        assert (difference > 0).float().mean() < 1e-3


def test_training_draws_within_the_cells():
    draw = np.random.default_rng(0)
    plans = [plan_fragments(480, 853, 7, 48, draw) for _ in range(100)]
    tops, lefts = np.stack([p.top for p in plans]), np.stack([p.left for p in plans])
    for i in range(7):
        assert tops[:, i].min() >= 68 * i
        assert tops[:, i].max() + 48 <= 68 * (i + 1)
        assert lefts[:, :, i].min() >= 121 * i
        assert lefts[:, :, i].max() + 48 <= 121 * (i + 1)
    assert len(np.unique(tops[0])) > 10


def test_a_small_picture_is_looked_at_from_corner_to_corner():
    """The release's grid stays within the top left of the enlarged picture; ours spans it."""
    frame = np.zeros((120, 160, 3), dtype=np.uint8)
    frame[:, :, 0] = np.linspace(0, 255, 160).astype(np.uint8)
    frame[:, :, 1] = np.linspace(0, 255, 120).astype(np.uint8)[:, None]
    plan = plan_fragments(120, 160, 7, 48)
    assert (plan.height, plan.width) == (336, 448)
    picture = FragmentCutter((120, 160), plan)(frame)
    assert picture.shape == (336, 336, 3)
    assert picture[:, :, 0].max() > 230
    assert picture[:, :, 1].max() > 250


@pytest.mark.parametrize("shape", [(16, 16), (1080, 608), (337, 336), (48, 2000)])
def test_any_shape(shape):
    frame = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    plan = plan_fragments(*resized_shape(*shape, 480), 7, 48)
    assert plan.top.min() >= 0
    assert plan.top.max() + 48 <= plan.height
    assert plan.left.max() + 48 <= plan.width
    assert FragmentCutter(shape, plan)(frame).shape == (336, 336, 3)


@pytest.mark.parametrize("kind", ["fragments", "crop", "whole"])
@pytest.mark.parametrize("shape", [(90, 160), (160, 90), (20, 30)])
def test_views(kind, shape):
    """What each view shows, told from a frame whose colours are its coordinates."""
    view = ClipView(kind=kind, resize=-1, grid=2, side=16)
    frame = np.zeros((*shape, 3), dtype=np.uint8)
    frame[:, :, 0], frame[:, :, 1] = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    picture = FragmentCutter(shape, plan_view(view, *shape))(frame).astype(int)
    assert picture.shape == (32, 32, 3)
    rows, columns = picture[:, 0, 0], picture[0, :, 1]
    if min(shape) < 32:
        assert rows.max() > 0.7 * shape[0]
        return
    if kind == "crop":
        assert rows.tolist() == list(range((shape[0] - 32) // 2, (shape[0] - 32) // 2 + 32))
        assert columns.tolist() == list(range((shape[1] - 32) // 2, (shape[1] - 32) // 2 + 32))
    elif kind == "whole":
        assert (rows[0], columns[0]) <= (3, 3)
        assert rows[-1] >= shape[0] - 4
        assert columns[-1] >= shape[1] - 4
    else:
        half = shape[0] // 2
        assert rows.tolist() == [
            *range((half - 16) // 2, (half - 16) // 2 + 16),
            *range(half + (half - 16) // 2, half + (half - 16) // 2 + 16),
        ]


def test_too_narrow():
    with pytest.raises(VideoError, match="4×2000 pixels, is too narrow"):
        plan_view(ClipView(), 2000, 4)


def test_a_frame_of_another_shape():
    cutter = FragmentCutter((64, 64), plan_fragments(64, 64, 2, 16))
    with pytest.raises(VideoError, match="different shapes: 64×64 and 32×64"):
        cutter(np.zeros((64, 32, 3), np.uint8))


def test_a_cutter_keeps_nothing_of_the_last_frame():
    for short in (-1, 48):
        cutter = FragmentCutter((64, 64), plan_fragments(*resized_shape(64, 64, short), 2, 16))
        first = cutter(np.full((64, 64, 3), 9, np.uint8))
        cutter(np.full((64, 64, 3), 200, np.uint8))
        assert set(np.unique(first)) <= {8, 9}


def test_normalised_for_the_network():
    view = ClipPictures(ClipView(mean=(100.0, 90.0, 0.0), std=(1.0, 5.0, 50.0)))
    values = view.to_network(torch.full((1, 2, 4, 4, 3), 100, dtype=torch.uint8))
    assert values.shape == (1, 3, 2, 4, 4)
    assert values[0, :, 0, 0, 0].tolist() == [0.0, 2.0, 2.0]
    assert view.to_network(torch.zeros(5, 2, 4, 4, 3, dtype=torch.uint8)).shape == (5, 3, 2, 4, 4)
    with pytest.raises(ValueError, match="expected uint8, got torch.float32"):
        view.to_network(torch.zeros(1, 2, 4, 4, 3))
