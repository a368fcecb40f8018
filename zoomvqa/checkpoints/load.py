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
    CONVERTED,
    FORMAT,
    READABLE,
    BranchDescription,
    Description,
    FusionDescription,
    as_written_now,
)
from zoomvqa.checkpoints.fit import fit
from zoomvqa.checkpoints.formats import (
    BACKBONE,
    EMBED,
    FIRST_TABLE,
    FRAGMENT,
    Found,
    has_narrow_windows,
    look_into,
)
from zoomvqa.console import say
from zoomvqa.errors import CheckpointError, SettingsError
from zoomvqa.models.base import BranchNet, as_branch_net
from zoomvqa.models.fusion.net import FusionNet, branch_nets
from zoomvqa.settings.base import check
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.registry import NETWORKS
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQABackbone, VQANetwork


@dataclass(frozen=True)
class Checkpoint:
    """Weights and what they are.

    Attributes:
        description: enough to score a video.
        weights: named as the network's parameters.
        source: `zoomvqa`, or `release` for the public files.
        told: what a person calls it.
    """

    description: Description
    weights: dict[str, Tensor]
    source: str
    told: str = ""

    def build_net(self) -> nn.Module:
        """Return the network with the weights, in evaluation mode: a `BranchNet`, or a `FusionNet` of several.

        It takes the tensors over: two networks of one checkpoint share them.

        Raises:
            CheckpointError: tensors are missing, unexpected or of another shape; the first of each are named.
        """
        net = build_described(self.description)
        fitted = fit(self.weights, net.state_dict())
        if problems := fitted.problems():
            raise CheckpointError(f"the checkpoint's tensors do not fit the network: {problems}")
        net.load_state_dict(fitted.taken, assign=True)  # copied, they would be there twice
        for own in branch_nets(net, list(self.description.branches)).values():
            if own.memory_format != torch.contiguous_format:
                own.to(memory_format=own.memory_format)
        return net.eval()


def build_described(about: Description) -> nn.Module:
    """Return the network of a description, with random weights.

    Raises:
        CheckpointError: there is no such network.
    """
    nets = {name: _build_branch(branch) for name, branch in about.branches.items()}
    if isinstance(about, FusionDescription):
        return FusionNet(nets, about.scale)
    (net,) = nets.values()
    return net


def _build_branch(about: BranchDescription) -> BranchNet:
    try:
        return as_branch_net(NETWORKS.build(about.network, about.look.example()))
    except (SettingsError, RuntimeError, MemoryError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"the network that the checkpoint describes cannot be made: {reason}") from None


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint file; nothing in it is executed.

    Raises:
        CheckpointError: there is no such file, it is damaged, holds arbitrary objects, or is of another kind.
    """
    found = look_into(path)
    source = "zoomvqa" if found.kind == "ours" else "release"
    return Checkpoint(described(path, found), found.tensors, source, found.told)


def described(path: Path, found: Found) -> Description:
    """Return what a file says of itself, or what is known of the public one that it is.

    Raises:
        CheckpointError: it is of no kind that can be scored with.
    """
    if found.kind == "ours":
        return _described(path, found)
    if found.kind == "release_iqa":
        return _release_iqa()
    if found.kind == "vqa":
        return _release_vqa(path, found.tensors)
    if found.kind == "swin":
        raise CheckpointError(
            f"{path}: a Video Swin without a head for quality: training can start from it "
            f"(branch=vqa weights={path}), but nothing can be scored with it"
        )
    some = ", ".join(list(found.tensors)[:3]) or "no tensors"
    kinds = "a checkpoint of this package, or a public Zoom-VQA or FAST-VQA file"
    raise CheckpointError(f"{path}: not a known kind of checkpoint (it holds {some}); expected {kinds}")


def _described(path: Path, found: Found) -> Description:
    entry = found.entry
    if entry.get("format") not in READABLE:
        raise CheckpointError(
            f"{path}: format {entry.get('format')!r}, written by zoomvqa {entry.get('version')}; "
            f"this is zoomvqa {zoomvqa.__version__}, which reads formats 1 to {FORMAT}"
        )
    try:
        values = as_written_now(_nan_to_none(dict(entry)))
        about: Description = (
            check(FusionDescription, values, prefix="zoomvqa")
            if entry.get("branch") == "fusion"
            else check(BranchDescription, values, prefix="zoomvqa")
        )
    except SettingsError as error:
        raise CheckpointError(f"{path}: its description is wrong: {error}{_plugins_told(entry)}") from None
    except RecursionError:
        raise CheckpointError(f"{path}: its description is wrong: it is nested without end") from None
    return _corrected(path, about)


def _plugins_told(entry: Mapping[str, Any]) -> str:
    """Say which plugins a checkpoint was made with: what it asks for may be theirs. None is imported for it."""
    named = entry.get("plugins")
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list | tuple) else []
    return f"; it was made with plugins=[{','.join(names)}]: give them" if names else ""


def _corrected(path: Path, about: Description) -> Description:
    """Correct the description of a FAST-VQA-M file that an earlier version has converted, and say so.

    It names the network whose windows shrink, which the weights were not trained with. A network that we have
    trained, or that was calibrated with such windows, keeps them.
    """
    network = about.network if isinstance(about, BranchDescription) else None
    if (
        not isinstance(network, VQANetwork)
        or CONVERTED not in about.version
        or about.calibration is not None
        or network.backbone != "swin_window4"
        or network.gated
    ):
        return about
    say(f"{path}: FAST-VQA-M, converted by an earlier version; used with windows of 4×4×4, as it was trained")
    return about.model_copy(update={"network": network.model_copy(update={"backbone": "fast_vqa_m"})})


def _release_iqa() -> BranchDescription:
    return BranchDescription(
        version="release",
        branch="iqa",
        unit="mos",  # smooth L1 on the MOS of VDPVE, says its log
        network=IQANetwork(backbone="convnext_tiny"),
        sampling=FrameSampling(),
        view=FrameView(),
    )


def _release_vqa(path: Path, weights: dict[str, Tensor]) -> BranchDescription:
    """Tell the network from its tensors; patch 6 is Zoom-VQA's recipe, patch 4 FAST-VQA's.

    A window of 4×4×4, which has 7·7·7 relative places, is FAST-VQA-M's: clips of 16 frames, 4 × 4 fragments. Its
    file was made in August 2022, before the public code shrank windows for such clips (version 3.1.0, December
    2022). With a second bias table, which it lacks, it is an export of our `swin_window4`, which shrinks them.
    """
    embed, table = weights.get(EMBED), weights.get(FIRST_TABLE)
    if embed is None or embed.ndim != 5 or not min(embed.shape) or table is None or table.ndim != 2:
        raise CheckpointError(f"{path}: its patch embedding or first bias table is missing, or of an odd shape")
    patch = embed.shape[-1]
    narrow = has_narrow_windows(weights)
    gated = any(k.endswith(FRAGMENT) for k in weights)
    deep = any(k.startswith(f"{BACKBONE}layers.2.blocks.6.") for k in weights)
    backbone: VQABackbone = "swin_small" if deep else "swin_tiny"
    if narrow:
        backbone = "swin_window4" if gated else "fast_vqa_m"
    return BranchDescription(
        version="release",
        branch="vqa",
        unit="none",  # the PLCC and rank losses have no scale
        network=VQANetwork(
            backbone=backbone,
            patch=patch,
            gated=gated,
        ),
        sampling=ClipSampling(clip_len=16 if narrow else 32),
        view=ClipView(side=8 * patch, grid=4 if narrow else 7, resize=480 if patch == 6 else -1),
    )


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _nan_to_none(v) for k, v in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
