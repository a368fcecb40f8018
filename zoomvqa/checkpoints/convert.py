"""Checkpoints in each other's formats."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

import zoomvqa
from zoomvqa.checkpoints.description import (
    CONVERTED,
    BranchDescription,
    Description,
    FusionDescription,
)
from zoomvqa.checkpoints.fit import fit, some
from zoomvqa.checkpoints.formats import BACKBONE, EMBED, FRAGMENT, RELATIVE, Found, Kind, look_into
from zoomvqa.checkpoints.load import build_described, described
from zoomvqa.checkpoints.start import resample_patches
from zoomvqa.errors import CheckpointError
from zoomvqa.files import whole_file
from zoomvqa.models.backbones import architecture
from zoomvqa.models.vqa.windows import relative_index
from zoomvqa.settings.iqa import IQANetwork
from zoomvqa.settings.vqa import ClipView, VQANetwork

Format = Literal["zoomvqa", "release", "video_swin", "timm"]

# The windows of the public networks, by the entries of their bias tables.
_WINDOWS = {15 * 13 * 13: (8, 7, 7), 7 * 7 * 7: (4, 4, 4), 3 * 7 * 7: (2, 4, 4)}
_INDEX = "relative_position_index"


class Converted(NamedTuple):
    """What became of a file.

    Attributes:
        kind: what the file was.
        tensors: number of tensors written.
        notes: what the user should know of it.
    """

    kind: str
    tensors: int
    notes: list[str]


def convert(
    source: Path,
    target: Path,
    form: Format,
    patch: int | None = None,
    take: str | None = None,
) -> Converted:
    """Write a checkpoint in another format.

    Args:
        source: any file that can be scored with or started from.
        target: the file to write.
        form: `zoomvqa` (ours, with its description), `release` (FAST-VQA's and Zoom-VQA's names, with the index
            tables that their code asks for), `video_swin` (`backbone.…` alone, as Kinetics weights are) or `timm`
            (the IQA branch's backbone under timm's names).
        patch: side of the patches that a VQA branch is converted to, pixels; None leaves them.
        take: the branch to take out of a fused checkpoint.

    Raises:
        CheckpointError: the file cannot be read, or cannot be brought into that format.
    """
    found = look_into(source, "input")
    about = described(source, found) if form == "zoomvqa" or found.kind == "ours" else None
    tensors, notes = dict(found.tensors), list[str]()
    if isinstance(about, FusionDescription):
        about, tensors = _taken_out(source, about, tensors, take)
    elif take is not None:
        raise CheckpointError(f"take: {source} is no fused checkpoint")
    if about is not None and (problems := fit(tensors, build_described(about).state_dict()).problems()):
        raise CheckpointError(f"input: {source} is not whole: {problems}")
    if patch is not None:
        about = _repatch(source, tensors, about, patch, notes)
    written, entry = _WRITERS[form](source, found, tensors, about)
    if form == "release" and isinstance(about, BranchDescription):
        _refuse_unreadable(source, about, tensors)
    names = {_bare(name) for name in written}
    if dropped := [k for k in tensors if _bare(k) not in names]:
        notes.append(f"{len(dropped)} tensors have no place in it ({some(dropped)})")
    if form != "zoomvqa" and about is not None:
        notes.append("clip length, view and calibration have no place in it")
    with whole_file(target, "wb") as handle:
        torch.save({"state_dict": written} | entry, handle)
    return Converted(found.told, len(written), notes)


def _taken_out(
    source: Path, about: FusionDescription, tensors: dict[str, Tensor], take: str | None
) -> tuple[BranchDescription, dict[str, Tensor]]:
    """Return one branch of a fused checkpoint, calibrated as it was fused."""
    choices = " or ".join(f"take={name}" for name in about.branches)
    if take is None:
        raise CheckpointError(f"take: {source} is a fused checkpoint; give {choices}")
    if take not in about.branches:
        raise CheckpointError(f"take: got {take!r}, but {source} has other branches; give {choices}")
    own = {k.removeprefix(f"{take}."): v for k, v in tensors.items() if k.startswith(f"{take}.")}
    range_ = {"mos_range": about.mos_range, "trained_on": about.trained_on}
    logistic = about.scale.branches[take].logistic
    changed = {"unit": "mos", "calibration": logistic, "figures": {}, "config": about.config}
    return about.branches[take].model_copy(update=range_ | changed), own


def _refuse_unreadable(source: Path, about: BranchDescription, tensors: dict[str, Tensor]) -> None:
    """Refuse to write in the release's form what neither its code nor ours could read back."""
    if not isinstance(about.network, IQANetwork | VQANetwork):
        raise CheckpointError(f"format: the release has no network such as {about.network.label}")
    kind: Kind = "release_iqa" if isinstance(about.network, IQANetwork) else "vqa"
    read = described(source, Found(kind, tensors, {}))
    assert isinstance(read, BranchDescription)  # noqa: S101  none of these kinds is a fusion
    if architecture(read.network.label) != architecture(about.network.label):
        raise CheckpointError(f"format: the release has no network such as {about.network.label}")


def _repatch(
    source: Path, tensors: dict[str, Tensor], about: Description | None, patch: int, notes: list[str]
) -> Description | None:
    """Resample the patch embedding; the view follows, and what was measured with the old patches goes."""
    if EMBED not in tensors:
        raise CheckpointError(f"patch: {source} has no patch embedding of a Video Swin")
    before = tensors[EMBED].shape[-1]
    tensors[EMBED] = resample_patches(tensors[EMBED], patch)
    notes.append(f"patch embedding resampled from {before} to {patch} pixels")
    if about is None or isinstance(about, FusionDescription):
        return about
    old, network = about.view, about.network
    if not isinstance(old, ClipView) or not isinstance(network, VQANetwork):
        return about
    side = old.side * patch
    if side % before:
        raise CheckpointError(f"patch: fragments of {old.side} pixels cannot become {patch}/{before} as large")
    if old.resize == -1:
        notes.append(
            f"it expects pictures {patch / before:g} times as large, and its view does not resize: fine-tune it"
        )
    if about.calibration is not None:
        notes.append("its calibration is left out")
    resize = old.resize if old.resize == -1 else round(old.resize * patch / before)
    view = old.model_copy(update={"side": side // before, "resize": resize})
    unit = "none" if about.calibration is not None else about.unit
    return about.model_copy(
        update={
            "view": view,
            "network": network.model_copy(update={"patch": patch}),
            "unit": unit,
            "calibration": None,
            "figures": {},
        }
    )


def _ours(
    source: Path, found: Found, tensors: dict[str, Tensor], about: Description | None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    assert about is not None  # noqa: S101  asked for before
    entry = about.model_dump(mode="json") | {"weights": "net"}
    if found.kind != "ours":
        entry["version"] = f"{zoomvqa.__version__}{CONVERTED}{source.name}"
    return {f"net.{k}": v for k, v in tensors.items()}, {"zoomvqa": entry}


def _release(
    source: Path,  # noqa: ARG001  the writers' common signature
    found: Found,  # noqa: ARG001
    tensors: dict[str, Tensor],
    about: Description | None,  # noqa: ARG001
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    written = {}
    for name, value in tensors.items():
        written[name] = value
        if name.endswith(RELATIVE) and (window := _WINDOWS.get(len(value))):
            tokens = window[0] * window[1] * window[2]
            index = relative_index(window, window, torch.device("cpu")).view(tokens, tokens)
            written[name.replace(RELATIVE, _INDEX)] = index.clone()
    return written, {}


def _video_swin(
    source: Path, found: Found, tensors: dict[str, Tensor], about: Description | None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if EMBED not in tensors:
        raise CheckpointError(f"format: {source} ({found.told}) is no Video Swin")
    kept = {k: v for k, v in tensors.items() if k.startswith(BACKBONE) and not k.endswith(FRAGMENT)}
    written, _ = _release(source, found, kept, about)
    return {"backbone." + k.removeprefix(BACKBONE): v for k, v in written.items()}, {}


def _timm(
    source: Path, found: Found, tensors: dict[str, Tensor], about: Description | None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    frames = isinstance(about, BranchDescription) and isinstance(about.network, IQANetwork)
    if not (found.kind == "release_iqa" or frames):
        raise CheckpointError(f"format: {source} ({found.told}) has no timm backbone")
    kept = {k.removeprefix("backbone."): v for k, v in tensors.items() if k.startswith("backbone.")}
    return {re.sub(r"^(stem|stages|layers|blocks)_(\d+)\.", r"\1.\2.", k): v for k, v in kept.items()}, {}


_WRITERS = {"zoomvqa": _ours, "release": _release, "video_swin": _video_swin, "timm": _timm}


def _bare(name: str) -> str:
    """Return what is left of a name in every format."""
    return re.sub(r"^(net\.)?(fragments_backbone\.|backbone\.)?", "", name).replace("_", ".")
