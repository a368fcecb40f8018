import pytest
import torch

from zoomvqa.data.batch import FrameBatch, VideoFrameViews


def test_moves_every_tensor():
    batch = FrameBatch(torch.zeros(2, 3, 8, 8), torch.zeros(2)).to(torch.float64)
    assert batch.views.dtype == batch.mos.dtype == torch.float64


def test_says_what_was_expected():
    with pytest.raises(ValueError, match=r"views: expected \(batch, 3, crop, crop\), got \(2, 8, 8\)"):
        FrameBatch(torch.zeros(2, 8, 8), torch.zeros(2))
    with pytest.raises(ValueError, match=r"mos: expected \(2,\), got \(3,\)"):
        FrameBatch(torch.zeros(2, 3, 8, 8), torch.zeros(3))
    with pytest.raises(ValueError, match="frames, crops"):
        VideoFrameViews(torch.zeros(2, 3, 8, 8), torch.tensor(1.0), torch.tensor(0))
    with pytest.raises(ValueError, match="index int64"):
        VideoFrameViews(torch.zeros(2, 1, 3, 8, 8), torch.tensor(1.0), torch.tensor(0.5))
