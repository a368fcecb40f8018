"""Weights that a VQA network starts from: ours, FAST-VQA's, the release's, or Kinetics Video Swin's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from timm.layers import resample_patch_embed
from torch import Tensor, nn

from zoomvqa.checkpoints.files import read_tensors
from zoomvqa.console import say
from zoomvqa.errors import CheckpointError

_BACKBONE, _EMBED = "fragments_backbone.", "patch_embed.proj.weight"
_FRAGMENT, _RELATIVE = "fragment_position_bias_table", "relative_position_bias_table"


def start_from(net: nn.Module, path: Path) -> None:
    """Give a VQA network the weights of a file, and say what was taken and what was not.

    A patch embedding of another size is resampled by the pseudo-inverse of bilinear resizing (FlexiViT, arXiv
    2212.08013); without a second bias table the first serves for both; the head stays as it is where the file
    has none for it.

    Args:
        net: a `VQANet`; changed in place.
        path: the file.

    Raises:
        CheckpointError: it is no such file, or weights of the backbone are missing or of another shape.
    """
    given = vqa_names(read_tensors(path))
    wanted = net.state_dict()
    notes = _fit_patches(given, wanted) + _fill_fragment_tables(given, wanted)
    taken = {k: v for k, v in given.items() if k in wanted and v.shape == wanted[k].shape}
    lacking = [k for k in wanted if k not in taken and k.startswith(_BACKBONE)]
    if lacking:
        shown = ", ".join(lacking[:3]) + (", …" if len(lacking) > 3 else "")
        raise CheckpointError(
            f"branch.network.weights: {path} does not fit the network: {len(lacking)} of {len(wanted)} tensors "
            f"are missing or of another shape ({shown})"
        )
    net.load_state_dict(taken, strict=False)
    fresh = [k for k in wanted if k not in taken]
    unused = [k for k in given if k not in taken]
    if fresh:
        notes.append(f"{len(fresh)} start fresh ({', '.join(fresh[:3])}{', …' if len(fresh) > 3 else ''})")
    if unused:
        notes.append(f"{len(unused)} of the file are not used")
    say(f"Starting from {path}: {len(taken)} of {len(wanted)} tensors" + "".join(f"; {note}" for note in notes))


def vqa_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of a `VQANet`, without the index tables and masks, which it computes."""
    named = {}
    for key, value in tensors.items():
        name = key.removeprefix("net.").removeprefix("module.")
        name = _BACKBONE + name.removeprefix("backbone.") if name.startswith("backbone.") else name
        if not name.endswith(("relative_position_index", "attn_mask")):
            named[name] = value
    return named


def _fit_patches(given: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Resample the patch embedding where it is of another size; return what to say of it."""
    name = _BACKBONE + _EMBED
    if name not in given or name not in wanted or given[name].shape == wanted[name].shape:
        return []
    old, new = given[name].shape, wanted[name].shape
    if len(old) != 5 or old[:3] != new[:3]:
        return []
    flat = resample_patch_embed(given[name].float().flatten(1, 2), list(new[-2:]), interpolation="bilinear")
    given[name] = flat.unflatten(1, new[1:3])
    return [f"patch embedding resampled from {old[-1]} to {new[-1]} pixels"]


def _fill_fragment_tables(given: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Let the first bias table stand for a second one that the file lacks; return what to say of it."""
    lacking = [k for k in wanted if k.endswith(_FRAGMENT) and k not in given]
    given.update({k: given[first] for k in lacking if (first := k.replace(_FRAGMENT, _RELATIVE)) in given})
    return [f"{len(lacking)} second bias tables copied from the first"] if lacking else []
