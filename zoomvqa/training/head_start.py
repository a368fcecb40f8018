"""What a new head starts from: the mean of the labels, or a ridge regression on what the backbone already sees."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import nn

from zoomvqa.calibration.ridge import Ridge, fit_ridge
from zoomvqa.console import say
from zoomvqa.metrics import figures_of
from zoomvqa.models.base import as_branch_net
from zoomvqa.processes import is_first_process
from zoomvqa.scoring.branches import accelerator_device
from zoomvqa.training.build import Built
from zoomvqa.training.one_by_one import look_at

Start = Literal["random", "mean", "fitted"]
# More videos than these make the fit of a few hundred numbers no better.
_MOST = 2000


def start_head(built: Built, start: Start, accelerator: str) -> None:
    """Give the last layer of a new head what it starts from.

    A head as PyTorch initialises it predicts about 0 where labels are about 70: the first epochs are spent on
    learning the mean. `mean` sets the last bias. `fitted` solves a ridge regression of the labels on what the
    last layer is given, with the backbone as it is and its penalty chosen on contents that are left out (see
    `zoomvqa.calibration.ridge`); training then begins from there.

    Of several processes the first does it: the others are given its weights when training begins.

    Args:
        built: whose network is changed in place, its moving average too; a head that has weights stays as it is.
        start: what the head starts from; `random` leaves it as it is.
        accelerator: auto, cpu, gpu or mps: what the backbone looks at videos with.

    Raises:
        AnnotationError: some training videos cannot be read.
    """
    if not built.new_head or start == "random" or not is_first_process():
        return
    bias = float(np.mean([video.mos for video in built.data.train_videos]))
    weight = None
    if start == "fitted" and (found := _fitted(built, accelerator_device(accelerator))) is not None:
        weight, bias = torch.from_numpy(found.weight), found.bias
    for net in built.module.candidates().values():
        _set(as_branch_net(net).last_layer, weight, bias)
    if weight is None:
        say(f"The head starts at the mean of the labels, {bias:.4g}")


@torch.no_grad()
def _set(layer: nn.Linear | nn.Conv3d, weight: torch.Tensor | None, bias: float) -> None:
    if weight is not None:
        layer.weight.copy_(weight.view_as(layer.weight))
    assert layer.bias is not None  # noqa: S101  the last layers have one
    layer.bias.fill_(bias)


def _fitted(built: Built, device: torch.device) -> Ridge | None:
    """Return the regression, and say how well it does; None where there are too few contents or features."""
    videos = built.data.train_videos
    if len(videos) > _MOST:
        videos = tuple(videos[i * len(videos) // _MOST] for i in range(_MOST))
    if len({video.content for video in videos}) < 2:
        return None
    built.data.prepare_data()
    features, read = look_at(built, videos, built.module.head_features, device, "Fitting the head")
    if len({video.content for video in read}) < 2 or not np.isfinite(features).all():
        return None
    mos = np.array([video.mos for video in read])
    found = fit_ridge(features, mos, [video.content for video in read])
    told = figures_of(torch.from_numpy(found.left_out), torch.from_numpy(mos)).told(built.module.unit)
    say(f"The head starts from a ridge regression; on training contents that it left out: {told}")
    return found
