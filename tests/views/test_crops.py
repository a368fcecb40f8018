import numpy as np
import pytest
import torch

from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameView
from zoomvqa.views.crops import FrameCrops, at_training_resolution, crop_corners, resized_shape
from zoomvqa.views.resize import Box, resize_part

SETTINGS = FrameView(resize=64, crop=32)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((540, 960), (512, 910)), ((960, 540), (910, 512)), ((512, 700), (512, 700)), ((16, 16), (512, 512))],
)
def test_resize_shapes(shape, expected):
    assert resized_shape(*shape, 512) == expected


def test_too_narrow():
    with pytest.raises(VideoError, match="8×400 pixels, is too narrow"):
        resized_shape(400, 8, 512)


def test_crops():
    assert crop_corners(512, 910, 320, 1) == [(96, 295)]
    assert crop_corners(512, 910, 320, 5) == [(0, 0), (96, 295), (0, 590), (192, 0), (192, 590)]
    many = crop_corners(512, 910, 320, 9)
    assert many == crop_corners(512, 910, 320, 9)
    assert len(set(many)) == 9
    assert all(0 <= top <= 192 and 0 <= left <= 590 for top, left in many)


@pytest.mark.parametrize("crops", [1, 5, 3])
def test_test_view(crops):
    frame = picture(80, 100)
    view = FrameCrops(SETTINGS.model_copy(update={"test_crops": crops})).test_crops
    views = view(frame)
    assert views.shape == (crops, 3, 32, 32)
    before = torch.get_num_threads()
    torch.set_num_threads(1 if before > 1 else 2)
    assert np.array_equal(views, view(frame))
    torch.set_num_threads(before)
    image = torch.from_numpy(resize_part(frame, (64, 80), Box(0, 0, 64, 80)))
    top, left = crop_corners(64, 80, 32, crops)[-1]
    mean, std = torch.tensor(SETTINGS.mean).view(3, 1, 1), torch.tensor(SETTINGS.std).view(3, 1, 1)
    last = torch.from_numpy(views[-1]) * std + mean
    torch.testing.assert_close(last, image[:, top : top + 32, left : left + 32])


def test_train_view_depends_on_the_seed_alone():
    frame = at_training_resolution(picture(80, 100), 64)
    view = FrameCrops(SETTINGS).random_crop
    assert np.array_equal(view(frame, 5), view(frame, 5))
    assert len({view(frame, seed).sum().item() for seed in range(10)}) > 5


def test_flip():
    frame = at_training_resolution(picture(64, 64), 64)
    always = FrameCrops(FrameView(resize=64, crop=64, flip=1.0)).random_crop(frame, 0)
    never = FrameCrops(FrameView(resize=64, crop=64, flip=0.0)).random_crop(frame, 0)
    assert np.array_equal(always, never[..., ::-1])


def test_training_resolution_is_rounded_by_half_a_level_at_most():
    frame = picture(80, 100)
    rounded = at_training_resolution(frame, 64)
    exact = resize_part(frame, (64, 80), Box(0, 0, 64, 80)).transpose(1, 2, 0) * 255
    assert rounded.dtype == np.uint8
    assert np.abs(rounded - exact).max() <= 0.5 + 1e-3


def test_a_frame_is_not_changed():
    frame = picture(64, 64)
    before = frame.copy()
    FrameCrops(SETTINGS).test_crops(frame)
    FrameCrops(SETTINGS).random_crop(frame, 0)
    np.testing.assert_array_equal(frame, before)
