"""Weights that training starts from: ours, the public ones of both branches, or timm's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from zoomvqa.checkpoints.fit import Fit, fit, some
from zoomvqa.checkpoints.formats import BACKBONE, EMBED, FRAGMENT, RELATIVE, has_narrow_windows, look_into
from zoomvqa.console import say
from zoomvqa.errors import CheckpointError
from zoomvqa.models.base import BranchNet
from zoomvqa.models.iqa.net import IQANet
from zoomvqa.models.vqa.convnext3d import ConvNeXt3D, inflate
from zoomvqa.models.vqa.swin import VideoSwin
from zoomvqa.models.vqa.windows import scaled_window

# Of a network's block: one more of them in the file means another network.
_BLOCK = re.compile(r"\.blocks?\.\d+\.")


FragmentBias = Literal["copy", "zero"]


def start_from(
    net: BranchNet, path: Path, *, strict: bool = True, key: str = "weights", fragment_bias: FragmentBias = "copy"
) -> bool:
    """Give a network the weights of a file, and say what was taken and what was not.

    A patch embedding of another size is resampled (see `resample_patches`); a second bias table that the file
    lacks is a copy of the first, or zero; weights of a 2-D ConvNeXt are inflated for a 3-D one; a head that the
    file has no weights for stays as it is.

    Args:
        net: of a branch; changed in place.
        path: the file.
        strict: refuse a file that lacks weights of the backbone, or a part of the head, or has some of another
            shape.
        key: of the setting that names it, for messages.
        fragment_bias: what a second bias table starts from where the file has but one.

    Returns:
        Whether the file has weights of the head.

    Raises:
        CheckpointError: it is no such file, or nothing in it fits, or with `strict` not all that should.
    """
    found = look_into(path, key)
    wanted = net.state_dict()
    backbone = _prefixes(net)
    given, notes = _adapted(dict(found.tensors), net, wanted, fragment_bias)
    fitted = fit(given, wanted)
    # A head may be fresh as a whole; one that is there in part, or of another shape, is a mistake.
    has_head = any(k in wanted and not k.startswith(backbone) for k in given)
    lacking = [k for k in wanted if k not in fitted.taken and (has_head or k.startswith(backbone))]
    deeper = [k for k in fitted.unexpected if k.startswith(backbone) and _BLOCK.search(k)]
    if not fitted.taken or ((lacking or deeper) and strict):
        raise CheckpointError(f"{key}: {path} ({found.told}) {_misfit(fitted, lacking, deeper)}")
    net.load_state_dict(fitted.taken, strict=False)
    _tell(path, found.told, fitted, notes)
    return has_head


def _misfit(fitted: Fit, lacking: list[str], deeper: list[str]) -> str:
    """Return what does not fit."""
    parts = []
    if lacking:
        parts.append(f"{len(lacking)} of {fitted.total} tensors are missing or of another shape ({some(lacking)})")
    if deeper:
        parts.append(f"{len(deeper)} of the file have no place in it ({some(deeper)})")
    hint = "; weights.strict=false takes what fits" if fitted.taken else ""
    return f"does not fit the network: {'; '.join(parts) or 'no tensor has its name'}{hint}"


def resample_patches(weight: Tensor, side: int) -> Tensor:
    """Return a patch embedding for patches of another size: (out, 3, times, p, p) → (out, 3, times, side, side).

    By the pseudo-inverse of bilinear resizing (FlexiViT, arXiv 2212.08013): an enlarged picture gives what the
    picture itself gave. Resizing the filters themselves does not, however they are scaled.
    """
    from timm.layers import resample_patch_embed  # noqa: PLC0415  scoring does without timm

    flat = resample_patch_embed(weight.float().flatten(1, 2), [side, side], interpolation="bilinear")
    return flat.unflatten(1, weight.shape[1:3])


def _adapted(
    given: dict[str, Tensor], net: BranchNet, wanted: Mapping[str, Tensor], fragment_bias: FragmentBias
) -> tuple[dict[str, Tensor], list[str]]:
    """Return the file's tensors in the network's names and shapes, and what was done to them."""
    if isinstance(net, IQANet):
        return _timm_names(given, wanted, "backbone."), []
    (backbone, *_) = net.backbones
    if isinstance(backbone, ConvNeXt3D):
        return _inflated(given, wanted)
    if isinstance(backbone, VideoSwin):
        notes = _shrunk_windows(given, backbone)
        return given, notes + _fit_patches(given, wanted) + _fill_fragment_tables(given, wanted, fragment_bias)
    return given, []  # a network from elsewhere starts from files with its own names


def _prefixes(net: BranchNet) -> tuple[str, ...]:
    """Return what the names of the backbones' weights begin with."""
    inside = {id(backbone) for backbone in net.backbones}
    return tuple(f"{name}." for name, module in net.named_modules() if id(module) in inside)


def _shrunk_windows(given: Mapping[str, Tensor], backbone: VideoSwin) -> list[str]:
    """Return what to say where the weights are FAST-VQA-M's and the network would shrink its windows."""
    if backbone.window != (4, 4, 4) or not has_narrow_windows(given):
        return []
    if any(name.endswith(FRAGMENT) for name in given):  # its file has no second tables
        return []
    side = 32 * backbone.patch_embed.patch[1]
    if scaled_window(backbone.window, (16, side, side), backbone.base) == backbone.window:
        return []
    return ["trained with windows of 4×4×4, which branch.network.backbone=fast_vqa_m keeps for its clips"]


def _timm_names(given: dict[str, Tensor], wanted: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Name a timm model's tensors as its `features_only` form does: `stages.0.…` becomes `stages_0.…`."""
    if any(k.startswith(prefix) for k in given):
        return given
    named = {}
    for name, value in given.items():
        flat = re.sub(r"^(\w+?)\.(\d+)\.", r"\1_\2.", name)
        named[prefix + (name if prefix + name in wanted else flat)] = value
    return named


def _inflated(given: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Give 2-D ConvNeXt weights the time that a 3-D one has."""
    if "stem.0.weight" not in given or given["stem.0.weight"].ndim != 4:
        return given, []
    own = {k.removeprefix(BACKBONE): v for k, v in wanted.items() if k.startswith(BACKBONE)}
    try:
        inflated = inflate(given, own)
    except (KeyError, RuntimeError):  # of another size: what fits is told below
        return {BACKBONE + k: v for k, v in given.items()}, []
    used = {name.replace("norm.", "head.norm.", 1) if name.startswith("norm.") else name for name in own}
    unused = {BACKBONE + k: v for k, v in given.items() if k not in used}
    return unused | {BACKBONE + k: v for k, v in inflated.items()}, ["2-D weights inflated"]


def _fit_patches(given: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Resample the patch embedding where it is of another size; return what to say of it."""
    if EMBED not in given or EMBED not in wanted or given[EMBED].shape == wanted[EMBED].shape:
        return []
    old, new = given[EMBED].shape, wanted[EMBED].shape
    if len(old) != 5 or old[:3] != new[:3] or not min(old):
        return []
    given[EMBED] = resample_patches(given[EMBED], new[-1])
    return [f"patch embedding resampled from {old[-1]} to {new[-1]} pixels"]


def _fill_fragment_tables(
    given: dict[str, Tensor], wanted: Mapping[str, Tensor], fragment_bias: FragmentBias
) -> list[str]:
    """Fill the second bias tables that the file lacks beside a first one; return what to say of it."""
    lacking = [k for k in wanted if k.endswith(FRAGMENT) and k not in given]
    firsts = {k: given[first] for k in lacking if (first := k.replace(FRAGMENT, RELATIVE)) in given}
    if not firsts:
        return []
    if fragment_bias == "zero":
        given.update({k: torch.zeros_like(first) for k, first in firsts.items()})
        return [f"{len(firsts)} second bias tables start at zero"]
    given.update(firsts)
    return [f"{len(firsts)} second bias tables copied from the first"]


def _tell(path: Path, kind: str, fitted: Fit, notes: list[str]) -> None:
    parts = list(notes)
    for names, what in (
        (fitted.missing, "start fresh"),
        ([f"{k} {shapes}" for k, shapes in fitted.reshaped.items()], "of another shape start fresh"),
        (fitted.unexpected, "of the file are not used"),
    ):
        if names:
            parts.append(f"{len(names)} {what} ({some(names)})")
    told = "".join(f"; {part}" for part in parts)
    say(f"Starting from {path} ({kind}): {len(fitted.taken)} of {fitted.total} tensors{told}")
