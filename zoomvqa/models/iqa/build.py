"""The network of the IQA branch that the settings describe, for training and from checkpoints."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor

from zoomvqa.console import say
from zoomvqa.models.backbones import Weights, refuse_unknown_tag, weights_told
from zoomvqa.models.iqa.net import IQANet, build_iqa_net
from zoomvqa.settings.iqa import IQANetwork


def build(settings: IQANetwork, example: Tensor, weights: str | None = None) -> IQANet:
    """Return the network for crops of the size of `example`; one that starts from ImageNet weights says which.

    Args:
        settings: the network.
        example: (1, 3, crop, crop).
        weights: `imagenet` (timm's), `package` (those that a package ships), `none`, or None where a file brings
            all of them.

    Raises:
        SettingsError, ToolError: see `zoomvqa.models.backbones.create_backbone`.
    """
    if weights is not None:
        refuse_unknown_tag(settings.backbone)
    source: Any = weights or "none"
    net = build_iqa_net(settings, example.shape[-1], cast("Weights", source))
    if source != "none":
        # A package ships one network's weights, whatever tag timm would take.
        told = weights_told(settings.backbone) if source == "imagenet" else settings.backbone
        say(f"Starting from ImageNet weights {told} ({source})")
    return net
