"""Checkpoints in each other's formats."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

import zoomvqa
from zoomvqa.checkpoints.description import Description, IQADescription, VQADescription
from zoomvqa.checkpoints.formats import BACKBONE, EMBED, FRAGMENT, RELATIVE, Found, look_into
from zoomvqa.checkpoints.load import described
from zoomvqa.checkpoints.start import resample_patches
from zoomvqa.errors import CheckpointError
from zoomvqa.files import whole_file
from zoomvqa.models.vqa.windows import relative_index

Format = Literal["zoomvqa", "release", "video_swin", "timm"]

# The windows of the public networks, by the entries of their bias tables.
_WINDOWS = {15 * 13 * 13: (8, 7, 7), 7 * 7 * 7: (4, 4, 4), 3 * 7 * 7: (2, 4, 4)}
_INDEX = "relative_position_index"


class Converted(NamedTuple):
    """What became of a file.

    Attributes:
        kind: what the file was.
        tensors: number of tensors written.
        dropped: those of the file that the other format has no place for.
    """

    kind: str
    tensors: int
    dropped: list[str]


def convert(source: Path, target: Path, form: Format, patch: int | None = None) -> Converted:
    """Write a checkpoint in another format.

    Args:
        source: any file that can be scored with or started from.
        target: the file to write.
        form: `zoomvqa` (ours, with its description), `release` (FAST-VQA's and Zoom-VQA's names, with the index
            tables that their code asks for), `video_swin` (`backbone.…` alone, as Kinetics weights are) or `timm`
            (the IQA branch's backbone under timm's names).
        patch: side of the patches that a VQA branch is converted to, pixels; None leaves them.

    Raises:
        CheckpointError: the file cannot be read, or cannot be brought into that format.
    """
    found = look_into(source, "input")
    if found.entry.get("branch") == "fusion":
        raise CheckpointError(f"{source}: a fused checkpoint; convert its branches")
    tensors = dict(found.tensors)
    about = described(source, found) if form == "zoomvqa" or found.kind == "ours" else None
    if patch is not None:
        about = _repatch(source, tensors, about, patch)
    written, entry = _WRITERS[form](source, found, tensors, about)
    with whole_file(target, "wb") as handle:
        torch.save({"state_dict": written} | entry, handle)
    names = {_bare(name) for name in written}
    return Converted(found.told, len(written), [k for k in tensors if _bare(k) not in names])


def _repatch(
    source: Path, tensors: dict[str, Tensor], about: Description | None, patch: int
) -> Description | None:
    """Resample the patch embedding; the view of the description follows."""
    if EMBED not in tensors:
        raise CheckpointError(f"patch: {source} has no patch embedding of a Video Swin")
    before = tensors[EMBED].shape[-1]
    tensors[EMBED] = resample_patches(tensors[EMBED], patch)
    if not isinstance(about, VQADescription):
        return about
    side = about.view.side * patch
    if side % before:
        raise CheckpointError(
            f"patch: fragments of {about.view.side} pixels cannot become {patch}/{before} as large"
        )
    resize = about.view.resize if about.view.resize == -1 else round(about.view.resize * patch / before)
    view = about.view.model_copy(update={"side": side // before, "resize": resize})
    network = about.network.model_copy(update={"patch": patch})
    return about.model_copy(update={"view": view, "network": network})


def _ours(
    source: Path, found: Found, tensors: dict[str, Tensor], about: Description | None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    assert about is not None  # noqa: S101  asked for before
    entry = about.model_dump(mode="json") | {"weights": "net"}
    if found.kind != "ours":
        entry["version"] = f"{zoomvqa.__version__}, converted from {source.name}"
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
    if not (found.kind == "release_iqa" or isinstance(about, IQADescription)):
        raise CheckpointError(f"format: {source} ({found.told}) has no timm backbone")
    kept = {k.removeprefix("backbone."): v for k, v in tensors.items() if k.startswith("backbone.")}
    return {re.sub(r"^(stem|stages|layers|blocks)_(\d+)\.", r"\1.\2.", k): v for k, v in kept.items()}, {}


_WRITERS = {"zoomvqa": _ours, "release": _release, "video_swin": _video_swin, "timm": _timm}


def _bare(name: str) -> str:
    """Return what is left of a name in every format."""
    return re.sub(r"^(net\.)?(fragments_backbone\.|backbone\.)?", "", name).replace("_", ".")
