"""Pixels of clips as the network takes them."""

from __future__ import annotations

import torch
from torch import Tensor

from zoomvqa.settings.vqa import ClipView


def normalise(clips: Tensor, view: ClipView) -> Tensor:
    """Return (…, 3, frames, rows, columns) float32 of (…, frames, rows, columns, 3) uint8 clips.

    Raises:
        ValueError: the clips are not uint8.
    """
    if clips.dtype != torch.uint8:  # a float clip would be overwritten, and is normalised already for all we know
        raise ValueError(f"clips: expected uint8, got {clips.dtype}")
    mean = torch.tensor(view.mean, device=clips.device).view(3, 1, 1, 1)
    std = torch.tensor(view.std, device=clips.device).view(3, 1, 1, 1)
    return clips.movedim(-1, -4).to(torch.float32, memory_format=torch.contiguous_format).sub_(mean).div_(std)
