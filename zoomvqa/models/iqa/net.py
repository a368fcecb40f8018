"""The IQA network: an aligned pyramid of feature maps, a score and a weight for every patch.

After Zoom-VQA (arXiv 2304.06440), section on patch-level and frame-level features. Parameters are named as in
the release, so that its public checkpoint loads as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.errors import SettingsError
from zoomvqa.models.backbones import Weights, create_backbone, feature_channels, largest_stride
from zoomvqa.models.base import BranchNet, PartScores, ToNetwork
from zoomvqa.models.convnext import ConvNeXt
from zoomvqa.models.layers import fixed_noise
from zoomvqa.settings.iqa import IQANetwork

# Crops that a CPU is shown at a time.
_FEW = 2


class PatchScores(NamedTuple):
    """What the network says of a batch of crops.

    Attributes:
        score: (batch,) the crops' scores, in the units of the training labels.
        patch_score: (batch, grid, grid) not negative.
        patch_weight: (batch, grid, grid) in 0..1.
    """

    score: Tensor
    patch_score: Tensor
    patch_weight: Tensor


class IQANet(BranchNet):
    """Backbone, pyramid alignment and the two heads.

    Args:
        backbone: a timm `features_only` model.
        grid: patches along a side; every feature map is averaged down (or up) to it.
        hidden: width of the heads.
        dropout: in the heads.
        crop: side of the views that it is made for, pixels; None is `grid` steps of the coarsest feature map.
    """

    # Measured 1.7 times as fast for EfficientNet on a CPU, and no slower for ConvNeXt.
    memory_format = torch.channels_last

    def __init__(
        self, backbone: nn.Module, grid: int, hidden: int = 384, dropout: float = 0.1, crop: int | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.grid = grid
        self._crop = crop or grid * largest_stride(backbone)
        channels = sum(feature_channels(backbone))
        self.head_score = _head(channels, hidden, dropout, nn.ReLU())
        self.head_weight = _head(channels, hidden, dropout, nn.Sigmoid())

    @property
    def backbones(self) -> tuple[nn.Module, ...]:
        """The modules that train with the backbone's smaller step; the others are heads."""
        return (self.backbone,)

    def features(self, views: Tensor) -> Tensor:
        """Return the aligned pyramid of (batch, 3, crop, crop) views: (batch, channels, grid, grid)."""
        return self._aligned(self._maps(views))

    def _aligned(self, maps: list[Tensor]) -> Tensor:
        return torch.cat([functional.adaptive_avg_pool2d(f, self.grid) for f in maps], dim=1)

    def _maps(self, views: Tensor) -> list[Tensor]:
        """Return the backbone's maps with the channels second; some of timm's models put them last."""
        views = views.contiguous(memory_format=torch.channels_last)
        pairs = zip(self.backbone(views), feature_channels(self.backbone), strict=True)
        return [m if m.shape[1] == c else m.permute(0, 3, 1, 2) for m, c in pairs]

    def forward(self, views: Tensor) -> PatchScores:
        """Score a batch of normalised (batch, 3, crop, crop) views."""
        patches = self.features(views).flatten(2).transpose(1, 2)
        # Averaged in float32 whatever the heads computed in: half precision would make ties.
        score = self.head_score(patches).squeeze(-1).float()
        weight = self.head_weight(patches).squeeze(-1).float()
        total = (score * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1e-6)
        shape = (-1, self.grid, self.grid)
        return PatchScores(total, score.view(shape), weight.view(shape))

    @property
    def last_layer(self) -> nn.Linear:
        """The scores' last linear layer: a crop's score is linear in its weights while patches weigh the same."""
        last = self.head_score[3]
        assert isinstance(last, nn.Linear)  # noqa: S101  see `_head`
        return last

    def head_features(self, views: Tensor) -> Tensor:
        """Return what `last_layer` is given of normalised (batch, 3, crop, crop) views, mean over patches.

        (batch, hidden) float32.
        """
        patches = self.features(views).flatten(2).transpose(1, 2)
        return self.head_score[:3](patches).float().mean(dim=1)

    def score_parts(self, parts: Tensor, to_network: ToNetwork) -> PartScores:
        """Score (frames, 1, crops, 3, crop, crop) frames: the mean over a frame's crops.

        The maps are `score` and `weight` of patches, (frames, crops, grid, grid).
        """
        crops = to_network(parts)
        shape = (len(parts), len(crops) // len(parts))
        # A CPU is as fast with few at a time, and a third of a gigabyte lighter.
        some = crops.split(_FEW) if crops.device.type == "cpu" else [crops]
        out = PatchScores(*(torch.cat(part) for part in zip(*map(self, some), strict=True)))
        score = out.score.float().view(shape).mean(dim=1)
        maps = {"score": out.patch_score.unflatten(0, shape), "weight": out.patch_weight.unflatten(0, shape)}
        return PartScores(score, maps)

    def constant_cause(self, value: float) -> str:
        """Return the likely cause; a score of 0 is what the last ReLU makes of all that is negative."""
        if value == 0.0:
            return "the last ReLU of the scores gets negative values alone, and passes no gradient"
        return super().constant_cause(value)

    def check_outputs(self) -> list[Tensor]:
        """Return what backbone and heads make of a small fixed view, to compare forms of the network by.

        Heads are taken without their last activation, which would hide much: a ReLU all that is negative.
        """
        # One of timm's may take no other size than it was made for.
        side = 2 * max(ConvNeXt.strides) if type(self.backbone) is ConvNeXt else self._crop
        maps = self._maps(fixed_noise(1, 3, side, side))
        patches = self._aligned(maps).flatten(2).transpose(1, 2)
        return [*maps, self.head_score[:-1](patches), self.head_weight[:-1](patches)]


def _head(channels: int, hidden: int, dropout: float, last: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 1), last)


def build_iqa_net(settings: IQANetwork, crop: int, weights: Weights = "none") -> IQANet:
    """Return the network that `settings` describe, for crops of `crop` pixels.

    Args:
        settings: the network.
        crop: side of the views, which fixes the grid: crop // largest stride of the backbone.
        weights: of the backbone: `imagenet`, `package` or `none`.

    Raises:
        SettingsError, ToolError: see `zoomvqa.models.backbones.create_backbone`.
    """
    backbone = create_backbone(settings.backbone, weights, settings.drop_path)
    grid = max(1, crop // largest_stride(backbone))
    net = IQANet(backbone, grid, settings.hidden, settings.dropout, crop)
    try:
        with torch.inference_mode():
            net.eval()(torch.zeros(1, 3, crop, crop))
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SettingsError(
            f"branch.network.backbone: '{settings.backbone}' does not take crops of {crop} pixels ({reason})"
        ) from None
    net.train()
    return net.to(memory_format=net.memory_format)
