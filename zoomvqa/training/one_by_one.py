"""Looks at training videos one after another, outside of a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoomvqa.console import progress
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import VideoError
from zoomvqa.training.build import Built


def look_at(
    built: Built,
    videos: Sequence[LabelledVideo],
    look: Callable[[Any], Tensor],
    device: torch.device,
    told: str,
) -> tuple[NDArray[np.float64], list[LabelledVideo]]:
    """Return what a network sees of each video, and the videos that could be read.

    Args:
        built: the module and its data.
        videos: of the training part: what is looked at is what training has cached of them.
        look: maps the parts of a video to (n,) or (), by a network of the module in evaluation mode.
        device: that the module is on while it looks.
        told: what is done, for the progress bar.

    Returns:
        (videos, …) float64.
    """
    found, read = [], []
    training = built.module.training
    built.module.to(device).eval()
    with progress() as bar, torch.inference_mode():
        for video in bar.track(videos, description=told):
            try:
                parts = built.data.training_parts(video)
            except VideoError:  # training stands another in for it, and names it
                continue
            found.append(look(parts.to(device)).double().cpu().numpy())
            read.append(video)
    built.module.to("cpu").train(training)
    return np.array(found, np.float64), read
