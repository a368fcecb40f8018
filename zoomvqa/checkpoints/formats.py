"""What a file of weights is, told from its tensors, and their names within our networks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from zoomvqa.checkpoints.files import read_file
from zoomvqa.errors import CheckpointError

Kind = Literal["ours", "release_iqa", "vqa", "swin", "other"]

BACKBONE = "fragments_backbone."
RELATIVE, FRAGMENT = "relative_position_bias_table", "fragment_position_bias_table"
FIRST_TABLE = f"{BACKBONE}layers.0.blocks.0.attn.{RELATIVE}"
EMBED = BACKBONE + "patch_embed.proj.weight"
# Which of our own file's weights are the network's.
PREFIXES = {"net": "net.", "averaged": "averaged.module."}


class Found(NamedTuple):
    """What is in a file.

    Attributes:
        kind: `ours`; `release_iqa`; `vqa`, a Video Swin with FAST-VQA's head; `swin`, one without; or `other`.
        tensors: under our names where the kind is known.
        entry: our own description, as it stands in the file; empty for others.
    """

    kind: Kind
    tensors: dict[str, Tensor]
    entry: Mapping[str, Any]

    @property
    def told(self) -> str:
        """What a person calls it."""
        names = {
            "ours": f"zoomvqa {self.entry.get('version')}, {self.entry.get('branch')} branch",
            "release_iqa": "Zoom-VQA's IQA branch",
            "vqa": "FAST-VQA or Zoom-VQA's VQA branch",
            "swin": "a Video Swin without a head for quality",
            "other": "unknown",
        }
        return names[self.kind]


def look_into(path: Path, key: str = "ckpt") -> Found:
    """Read a file and tell what it is; nothing in it is executed.

    Args:
        path: the file.
        key: of the setting that names it, for messages.

    Raises:
        CheckpointError: there is no such file, it is damaged, holds arbitrary objects, or tensors of an odd make.
    """
    raw = read_file(path, key)
    tensors = _tensors(path, raw.get("state_dict", raw.get("model", raw)))
    entry = raw.get("zoomvqa")
    if entry is not None:
        if not isinstance(entry, Mapping) or not isinstance(raw.get("state_dict"), Mapping):
            raise CheckpointError(f"{path}: its description or its weights are missing")
        prefix = PREFIXES.get(str(entry.get("weights", "net")), "net.")
        return Found(
            "ours", {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}, entry
        )
    if "head_score.0.weight" in tensors and "backbone.stem_0.weight" in tensors:
        return Found("release_iqa", tensors, {})
    if any(name.endswith(RELATIVE) for name in tensors):
        named = vqa_names(tensors)
        return Found("vqa" if "vqa_head.fc_hid.weight" in named else "swin", named, {})
    return Found("other", tensors, {})


def has_narrow_windows(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether the first bias table of a Video Swin, under our names, is one of windows of 4×4×4."""
    table = tensors.get(FIRST_TABLE)
    return table is not None and len(table) == 7 * 7 * 7


def vqa_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of a `VQANet`, without the index tables and masks, which it computes.

    Kinetics Video Swin names its backbone `backbone.`, or nothing at all.
    """
    named = {}
    for key, value in tensors.items():
        name = re.sub(r"^(backbone\.)?(layers\.|patch_embed\.|norm\.)", BACKBONE + r"\2", key.removeprefix("net."))
        if not name.endswith(("relative_position_index", "attn_mask")):
            named[name] = value
    return named


def _tensors(path: Path, values: Any) -> dict[str, Tensor]:
    """Return the tensors of a state dict by name, without the prefix that `DataParallel` adds."""
    if not isinstance(values, Mapping):
        return {}
    found = {str(k).removeprefix("module."): v for k, v in values.items() if isinstance(v, Tensor)}
    for name, value in found.items():
        odd = value.layout != torch.strided or value.is_meta or value.is_quantized or value.is_complex()
        # A tensor that is larger than what is stored of it would fill the memory when it is looked at.
        if odd or value.untyped_storage().nbytes() < value.numel() * value.element_size():
            raise CheckpointError(f"{path}: {name} is no plain tensor of numbers")
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise CheckpointError(f"{path}: {name} holds values that are not finite")
    return found
