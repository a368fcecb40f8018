"""A branch of one's own: a view, a network and a loss, registered by name."""

from typing import Literal

import numpy as np
import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.models.base import BranchNet, Scores
from zoomvqa.registry import LOSSES, NETWORKS, VIEWS
from zoomvqa.settings.branch import NetworkSettings, ViewSettings
from zoomvqa.settings.loss import LossSettings
from zoomvqa.views import View


class ThumbnailSettings(ViewSettings):
    kind: Literal["thumbnail"] = "thumbnail"
    side: PositiveInt = 32


@VIEWS.register("thumbnail", ThumbnailSettings)
class Thumbnail(View):
    """Every so many pixels of a frame: (side, side, 3) uint8."""

    gives = "thumbnails"

    def __init__(self, settings):
        self.side = settings.side

    def check(self, height, width):
        pass  # any size will do

    def cutter(self, shape, draw=None):
        rows, columns = (np.linspace(0, n - 1, self.side).astype(int) for n in shape)
        return lambda frame: frame[rows][:, columns]

    def to_network(self, parts: Tensor) -> Tensor:
        return parts[:, 0].movedim(-1, 1).float() / 255

    def example(self, frames: int) -> Tensor:
        return torch.zeros(1, 3, self.side, self.side)


class ConvSettings(NetworkSettings):
    kind: Literal["small_conv"] = "small_conv"
    width: PositiveInt = 16


@NETWORKS.register("small_conv", ConvSettings)
class SmallConv(BranchNet):
    """Two convolutions, a mean, a linear layer."""

    def __init__(self, settings, example, weights=None):
        super().__init__()
        width = settings.width
        self.backbone = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2), nn.ReLU(), nn.Conv2d(width, width, 3, stride=2), nn.ReLU()
        )
        self.head = nn.Linear(width, 1)

    @property
    def backbones(self):
        return (self.backbone,)

    @property
    def last_layer(self):
        return self.head

    def forward(self, thumbnails):
        return Scores(self.head(self.backbone(thumbnails).mean(dim=(2, 3))).squeeze(1).float())


class HuberSettings(LossSettings):
    name: Literal["huber"] = "huber"
    delta: PositiveFloat = 5.0


@LOSSES.register("huber", HuberSettings)
def huber(settings):
    return lambda prediction, mos: functional.huber_loss(prediction, mos, delta=settings.delta)
