"""Reading checkpoints to score with: ours, and the public Zoom-VQA and FAST-VQA files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import zoomvqa
from zoomvqa.checkpoints.description import (
    DESCRIPTIONS,
    FORMAT,
    Description,
    IQADescription,
    VQADescription,
)
from zoomvqa.checkpoints.files import read_file, tensors_of
from zoomvqa.checkpoints.start import vqa_names
from zoomvqa.errors import CheckpointError, SettingsError
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.base import check
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork


@dataclass(frozen=True)
class Checkpoint:
    """Weights and what they are.

    Attributes:
        description: enough to score a video.
        weights: named as the network's parameters.
        source: `zoomvqa`, or `release` for the public files.
    """

    description: Description
    weights: dict[str, Tensor]
    source: str

    def build_net(self) -> nn.Module:
        """Return the network with the weights, in evaluation mode: an `IQANet` or a `VQANet`.

        Raises:
            CheckpointError: tensors are missing, unexpected or of another shape; the first of each are named.
        """
        about = self.description
        net: nn.Module
        if isinstance(about, VQADescription):
            net = build_vqa_net(about.network, about.sampling.clip_len, about.view.size, pretrained=False)
        else:
            net = build_iqa_net(about.network, about.view.crop, pretrained=False)
        _compare(self.weights, net.state_dict())
        wanted = net.state_dict()
        # Taken over rather than copied, which would hold them twice.
        net.load_state_dict({k: v.to(wanted[k].dtype) for k, v in self.weights.items()}, assign=True)
        if isinstance(about, IQADescription):
            net = net.to(memory_format=torch.channels_last)
        return net.eval()


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint file; nothing in it is executed.

    Raises:
        CheckpointError: there is no such file, it is damaged, holds arbitrary objects, or is of another kind.
    """
    raw = read_file(path)
    if "zoomvqa" in raw:
        return _ours(path, raw)
    weights = tensors_of(raw.get("state_dict", raw))
    if "head_score.0.weight" in weights and "backbone.stem_0.weight" in weights:
        return _release_iqa(weights)
    named = vqa_names(weights)
    if "vqa_head.fc_hid.weight" in named and _TABLE in named:
        return _release_vqa(path, named)
    kinds = "a checkpoint of this package, or a public Zoom-VQA or FAST-VQA file"
    if any("relative_position_bias_table" in key for key in weights):
        raise CheckpointError(
            f"{path}: a Video Swin without a head for quality: training can start from it "
            f"(branch=vqa branch.network.weights={path}), but nothing can be scored with it"
        )
    some = ", ".join(list(weights)[:3]) or "no tensors"
    raise CheckpointError(f"{path}: not a known kind of checkpoint (it holds {some}); expected {kinds}")


def _ours(path: Path, raw: dict[str, Any]) -> Checkpoint:
    entry = raw["zoomvqa"]
    if not isinstance(entry, Mapping) or not isinstance(raw.get("state_dict"), Mapping):
        raise CheckpointError(f"{path}: its description or its weights are missing")
    if entry.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: format {entry.get('format')!r}, written by zoomvqa {entry.get('version')}; "
            f"this is zoomvqa {zoomvqa.__version__}, which reads format {FORMAT}"
        )
    kind = DESCRIPTIONS.get(str(entry.get("branch")))
    if kind is None:
        raise CheckpointError(f"{path}: of a branch that is not known here: {entry.get('branch')!r}")
    try:
        description = check(kind, {k: _nan_to_none(v) for k, v in entry.items()}, prefix="zoomvqa")
    except SettingsError as error:
        raise CheckpointError(f"{path}: its description is wrong: {error}") from None
    prefix = {"net": "net.", "averaged": "averaged.module."}[description.weights]
    tensors = tensors_of(raw["state_dict"])
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    return Checkpoint(description, weights, "zoomvqa")


def _release_iqa(weights: dict[str, Tensor]) -> Checkpoint:
    description = IQADescription(
        version="release",
        unit="mos",  # smooth L1 on the MOS of VDPVE, says its log
        network=IQANetwork(backbone="convnext_tiny", weights="none"),
        sampling=FrameSampling(),
        view=FrameView(),
    )
    return Checkpoint(description, weights, "release")


_STAGE = "fragments_backbone.layers.{}.blocks."
_TABLE = _STAGE.format(0) + "0.attn.relative_position_bias_table"


def _release_vqa(path: Path, weights: dict[str, Tensor]) -> Checkpoint:
    """Tell the network from its tensors; patch 6 is Zoom-VQA's recipe, patch 4 FAST-VQA's."""
    patch = weights["fragments_backbone.patch_embed.proj.weight"].shape[-1]
    deep = any(k.startswith(_STAGE.format(2) + "6.") for k in weights)
    narrow = len(weights[_TABLE]) == 7**3  # a window of 4×4×4 has 7·7·7 relative places
    if narrow:
        raise CheckpointError(
            f"{path}: a FAST-VQA-M file (window 4×4×4); training can start from it (branch=vqa "
            f"branch.network.backbone=swin_window4 branch.network.weights={path}), but not scoring yet"
        )
    description = VQADescription(
        version="release",
        unit="none",  # the PLCC and rank losses have no scale
        network=VQANetwork(
            backbone="swin_small" if deep else "swin_tiny",
            patch=patch,
            gated=any(k.endswith("fragment_position_bias_table") for k in weights),
        ),
        sampling=ClipSampling(),
        view=ClipView(side=8 * patch, resize=480 if patch == 6 else -1),
    )
    return Checkpoint(description, weights, "release")


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _nan_to_none(v) for k, v in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _compare(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    missing = [k for k in wanted if k not in weights]
    unexpected = [k for k in weights if k not in wanted]
    shapes = [
        f"{k} {tuple(v.shape)} instead of {tuple(wanted[k].shape)}"
        for k, v in weights.items()
        if k in wanted and v.shape != wanted[k].shape
    ]
    problems = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if names
    ]
    if problems:
        raise CheckpointError(f"the checkpoint's tensors do not fit the network: {'; '.join(problems)}")
