"""Statistics of a frozen backbone's feature maps: what a linear probe is fitted on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoomvqa.models.backbones import create_backbone, feature_channels

# The network whose weights a package ships.
BACKBONE = "tf_efficientnet_lite0"


class MapStatistics(nn.Module):
    """Mean and standard deviation over places of every channel of a frozen backbone's maps.

    Args:
        backbone: maps (batch, 3, h, w) to a list of feature maps.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone.eval().requires_grad_(requires_grad=False)

    @torch.inference_mode()
    def forward(self, views: Tensor) -> Tensor:
        """Map (batch, 3, h, w) normalised views to (batch, 2 · channels of all maps) float32."""
        found = []
        views = views.contiguous(memory_format=torch.channels_last)
        for features, channels in zip(self.backbone(views), feature_channels(self.backbone), strict=True):
            places = features.flatten(2) if features.shape[1] == channels else features.flatten(1, 2).mT
            found += [places.float().mean(dim=2), places.float().std(dim=2, correction=0)]
        return torch.cat(found, dim=1)


def probe_network() -> MapStatistics:
    """Return the statistics of EfficientNet-Lite0 with the ImageNet weights that a package ships.

    Raises:
        ToolError: the package is not installed.
    """
    return MapStatistics(create_backbone(BACKBONE, "package").to(memory_format=torch.channels_last))
