"""How well a patch embedding keeps what it says when its patches change size, on real videos.

python scripts/compare_patches.py CKPT VIDEO [VIDEO …]

The clips of each video are scored with the checkpoint; then, enlarged or shrunk, with embeddings for patches of
other sizes made in three ways: by the pseudo-inverse of the resize (what this package does), by resizing the
filters, and by resizing them and keeping their sum. The table tells how far embeddings and scores move.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from benchmarks.material import parts_of
from zoomvqa.checkpoints import BranchDescription, load_checkpoint
from zoomvqa.checkpoints.start import resample_patches
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.models.vqa.swin import VideoSwin
from zoomvqa.settings.vqa import VQANetwork

SIZES = (3, 4, 5, 6, 8)


def resized(weight: Tensor, side: int) -> Tensor:
    """Return the filters themselves, resized: (out, 3, times, p, p) → (out, 3, times, side, side)."""
    flat = functional.interpolate(weight.flatten(1, 2), (side, side), mode="bilinear", align_corners=False)
    return flat.unflatten(1, weight.shape[1:3])


def resized_same_sum(weight: Tensor, side: int) -> Tensor:
    """Return resized filters that answer a flat picture as before."""
    return resized(weight, side) * (weight.shape[-1] / side) ** 2


WAYS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "pseudo-inverse": resample_patches,
    "filters resized": resized,
    "filters resized, same sum": resized_same_sum,
}


def scaled(clip: Tensor, factor: float) -> Tensor:
    """Return a (1, 3, frames, h, w) clip whose pictures are larger or smaller by a factor."""
    frames = clip[0].transpose(0, 1)
    size = [round(s * factor) for s in frames.shape[-2:]]
    return functional.interpolate(frames, size, mode="bilinear", align_corners=False).transpose(0, 1)[None]


@torch.inference_mode()
def main() -> None:
    """Print the table."""
    checkpoint, *videos = (Path(a) for a in sys.argv[1:])
    loaded = load_checkpoint(checkpoint)
    about = loaded.description
    if not (isinstance(about, BranchDescription) and isinstance(about.network, VQANetwork) and videos):
        raise SystemExit("give a checkpoint of a VQA branch, and videos")
    net = loaded.build_net()
    assert isinstance(net, VQANet)  # noqa: S101
    backbone = net.fragments_backbone
    assert isinstance(backbone, VideoSwin)  # noqa: S101
    embed, base = backbone.patch_embed, backbone.base
    patch, filters, projection = about.network.patch, embed.proj.weight.clone(), embed.proj
    look, clips = about.look, list[Tensor]()
    for video in videos:
        clips += look.view.to_network(torch.from_numpy(parts_of(video, look))).split(1)
    said = [projection(clip).clone() for clip in clips]
    scores = torch.stack([net(clip).score[0] for clip in clips])
    table = Table("patches", "way", "embedding moves", "score moves", title=f"{len(clips)} clips, patch {patch}")
    for side in (s for s in SIZES if s != patch):
        larger = [scaled(clip, side / patch) for clip in clips]
        for name, way in WAYS.items():
            projection.weight = torch.nn.Parameter(way(filters, side), requires_grad=False)
            projection.kernel_size = projection.stride = embed.patch = (projection.kernel_size[0], side, side)
            moved = [((projection(c) - s).norm() / s.norm()).item() for c, s in zip(larger, said, strict=True)]
            backbone.base = (base[0], base[1] * side // patch, base[2] * side // patch)
            found = torch.stack([net(clip).score[0] for clip in larger])
            apart = ((found - scores).abs().mean() / scores.std()).item()
            table.add_row(f"{patch} to {side}", name, f"{sum(moved) / len(moved):.1%}", f"{apart:.3f} std")
    Console().print(table)


if __name__ == "__main__":
    main()
