import pytest
import torch

from zoomvqa.data.batch import Batch, VideoBatch

CLIPS = torch.zeros(2, 1, 4, 8, 8, 3, dtype=torch.uint8)


def test_moves_every_tensor():
    batch = Batch({"a": torch.zeros(2, 1, 1, 3, 8, 8), "b": torch.zeros(2, 2, 4, 8)}, torch.zeros(2))
    moved = batch.to(torch.float64)
    assert {moved.mos.dtype, *(parts.dtype for parts in moved.inputs.values())} == {torch.float64}
    assert moved.sets is None


def test_says_what_was_expected():
    with pytest.raises(ValueError, match=r"a: expected \(2, parts, frames, …\), got \(2, 8, 8\) beside 2 MOS"):
        Batch({"a": torch.zeros(2, 8, 8)}, torch.zeros(2))
    with pytest.raises(ValueError, match=r"a: expected \(3, parts, frames, …\), got \(2, 1, 4, 8"):
        Batch({"a": CLIPS}, torch.zeros(3))
    with pytest.raises(ValueError, match=r"a: expected \(parts, frames, …\), got \(2, 8\)"):
        VideoBatch({"a": torch.zeros(2, 8)}, torch.tensor(1.0), torch.tensor(0))
    with pytest.raises(ValueError, match="index int64"):
        VideoBatch({"a": CLIPS}, torch.tensor(1.0), torch.tensor(0.5))
