"""Bilinear resizing of parts of pictures."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from zoomvqa.views.resize import Box, resize_part


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("source", "shape"),
    [
        ((90, 120), (45, 60)),
        ((90, 160), (61, 108)),
        ((33, 20), (96, 58)),
        ((1, 7), (64, 448)),
        ((64, 80), (64, 80)),
    ],
)
def test_as_torch_resizes(source, shape):
    frame = picture(*source)
    whole = resize_part(frame, shape, Box(0, 0, *shape))
    image = torch.from_numpy(frame).permute(2, 0, 1).float().div(255)[None]
    expected = functional.interpolate(image, shape, mode="bilinear", align_corners=False)[0].numpy()
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, expected, atol=2e-5)
    if shape == (45, 60):
        smooth = functional.interpolate(image, shape, mode="bilinear", align_corners=False, antialias=True)[0]
        assert not np.allclose(whole, smooth.numpy(), atol=0.05)


@pytest.mark.parametrize("source", [(90, 160), (61, 108)])
def test_a_part_is_that_of_the_whole(source):
    frame = picture(*source)
    whole = resize_part(frame, (61, 108), Box(0, 0, 61, 108))
    for box in (Box(0, 0, 20, 30), Box(41, 78, 20, 30), Box(7, 50, 1, 1), Box(60, 107, 1, 1)):
        part = resize_part(frame, (61, 108), box)
        cut = whole[:, box.top : box.top + box.height, box.left : box.left + box.width]
        np.testing.assert_array_equal(part, cut)
