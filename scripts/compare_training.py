"""Compare training steps of every experiment with those of the public code, on the same weights and batches.

python scripts/compare_training.py FOLDER [iqa_vdpve|vqa_vdpve|vqa_lsvq]

FOLDER holds both public repositories, under any names; einops, which they need, must be installed:

git clone https://github.com/k-zha14/Zoom-VQA
git clone https://github.com/VQAssessment/FAST-VQA-and-FasterVQA

The public training scripts are run as they are, with the options that were published, and so are our
experiments; both get made pictures, smaller than those of training, and compute in float64 without dropout and
stochastic depth. Of ten steps are compared the loss, the rates, the first gradients, the weights, and their moving
average. A file of weights is made, too: what counts is what training makes of it. Some minutes an experiment.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from training_steps.ours import build, experiment, run_ours
from training_steps.public import GivenBatches, run_public
from training_steps.record import Record, Tensors, compare

from zoomvqa.checkpoints.start import resample_patches
from zoomvqa.data.batch import Batch
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.branch import BranchSettings
from zoomvqa.settings.vqa import ClipView, VQANetwork
from zoomvqa.views import View, look_of

STEPS, SAMPLES = 10, 3
# Of an epoch, as in the release's own log: the warm-up of 2.5 epochs then is no whole number of iterations.
LENGTH = 53
GRID, FRAMES, CROP = 3, 8, 64
# Sums are taken in another order, in float64.
TOLERANCE = 1e-5
EMBED = "fragments_backbone.patch_embed.proj.weight"
# The published command, from the readme of Zoom-VQA; crops are smaller, and the average, an option there, is on.
IQA_FLAGS = (
    "--arch cpnet_multi --dataset vdpve_2fps --batch_size 32 --epochs 30 --lr 4e-4 --optimizer ADAMW --EMA "
    "--weight_decay 1e-2 --drop_path 0.1 --loss_type smooth_l1 --pretrain --rsize 512 --cutmix 0. "
    f"--backbone_lr_decay 0.2 --dropout 0.5 --csize {CROP}"
)
VQA_FLAGS = (
    "--epochs 30 --lr 1e-3 --b_lr_decay 0.1 --backbone swin_tiny_grpb --batch_size 16 --rsize 480 --patch_size 6"
)
OFF = ("branch.network.dropout=0", "branch.network.drop_path=0")
SCRIPTS = {
    "iqa_vdpve": "IQA/train_DDP_single.py",
    "vqa_vdpve": "VQA/split_train.py",
    "vqa_lsvq": "new_train.py",
}


def compare_iqa(script: Path, work: Path) -> tuple[Record, Record]:
    """Return our record and the public one of the IQA branch."""
    draw = torch.Generator().manual_seed(0)
    views = torch.randn(STEPS, SAMPLES, 3, CROP, CROP, generator=draw)
    mos = 20 + 60 * torch.rand(STEPS, SAMPLES, generator=draw)
    batches = [(x.double(), y[:, None]) for x, y in zip(views, mos, strict=True)]
    loaders = ModuleType("datasets_single")
    sizes: list[int] = []

    def get_loader(args: object) -> tuple[GivenBatches, None]:
        sizes.append(args.batch_size)  # type: ignore[attr-defined]
        return GivenBatches(batches, LENGTH), None

    loaders.get_loader = get_loader  # type: ignore[attr-defined]
    public = run_public(script, IQA_FLAGS.split(), batches, length=LENGTH, files={}, work=work, loaders=loaders)
    public.batch_size = sizes[0]
    view = (f"branch.view.crop={CROP}", "branch.optimiser.ema_decay=0.999")
    settings = experiment("iqa_vdpve", [*OFF, *view])
    module = build(settings, work)
    # One part of one frame and one crop each.
    given = [Batch({"iqa": x[:, None, None, None]}, y) for x, y in zip(views, mos, strict=True)]
    ours = run_ours(module, settings, given, length=LENGTH, start=public.start)
    ours.start = public.start  # both begin at random here: ImageNet's weights are not at hand
    return ours, public


def compare_vqa(script: Path, work: Path, name: str) -> tuple[Record, Record]:
    """Return our record and the public one of an experiment of the VQA branch."""
    size = (f"branch.view.grid={GRID}", f"branch.sampling.clip_len={FRAMES}")
    settings = experiment(name, [*OFF, *size])
    branch = settings.branch
    assert isinstance(branch, BranchSettings)  # noqa: S101  so these are named
    assert isinstance(branch.view, ClipView)  # noqa: S101
    look = look_of(branch.sampling, branch.view)
    files = _kinetics(work) if name == "vqa_lsvq" else _fast_vqa(work)
    options = "options/fast/fast-b.yml" if name == "vqa_lsvq" else "options/cvpr2023/finetune_vdpve.yml"
    flags = [] if name == "vqa_lsvq" else VQA_FLAGS.split()
    draw = torch.Generator().manual_seed(0)
    side = branch.view.size
    clips = torch.randint(0, 256, (STEPS, SAMPLES, 1, FRAMES, side, side, 3), generator=draw, dtype=torch.uint8)
    mos = 20 + 60 * torch.rand(STEPS, SAMPLES, generator=draw)
    batches = [_public_batch(x, y, look.view) for x, y in zip(clips, mos, strict=True)]
    arguments = ["--opt", str(script.parent / options), *flags]
    public = run_public(script, arguments, batches, length=LENGTH, files=files, work=work)
    given = [Batch({"vqa": x}, y) for x, y in zip(clips, mos, strict=True)]
    module = build(settings, work)
    known = set(module.net.state_dict())
    for part in ("start", "weights", "average"):
        setattr(public, part, {k: v for k, v in getattr(public, part).items() if k in known})
    ours = run_ours(module, settings, given, length=LENGTH, start=public.start)
    if name == "vqa_lsvq":  # its head is drawn at random
        ours.start |= {k: v for k, v in public.start.items() if k.startswith("vqa_head.")}
    return ours, public


def _public_batch(clips: Tensor, mos: Tensor, view: View) -> dict[str, Tensor]:
    return {"fragments": view.to_network(clips[:, 0]).double(), "gt_label": mos, "frame_inds": torch.zeros(1)}


def _made(*, gated: bool) -> Tensors:
    """Return weights as of a file of patch 4."""
    torch.manual_seed(1)
    net = build_vqa_net(VQANetwork(patch=4, gated=gated), 32, 224)
    return {k: v.detach() + 0.02 * torch.randn_like(v) for k, v in net.state_dict().items()}


def _kinetics(work: Path) -> dict[str, Tensors]:
    """Write weights as Kinetics's are, with one bias table and no head, and return them for the public script."""
    name = "swin_tiny_patch244_window877_kinetics400_1k.pth"
    prefix = "fragments_backbone."
    weights = {k.replace(prefix, "backbone."): v for k, v in _made(gated=False).items() if k.startswith(prefix)}
    torch.save({"state_dict": weights}, work / name)
    return {name: weights}


def _fast_vqa(work: Path) -> dict[str, Tensors]:
    """Write weights as FAST-VQA-B's are, and return those of patch 6 that the release made of them and lost."""
    weights = _made(gated=True)
    torch.save({"state_dict": weights}, work / "FAST_VQA_B_1_4.pth")
    return {"FAST_VQA_B_p6c336.pth": weights | {EMBED: resample_patches(weights[EMBED], 6)}}


def main() -> None:
    """Print the table; the exit code is 1 where something differs."""
    if len(sys.argv) < 2:
        sys.exit((__doc__ or "").strip())
    folder, chosen = Path(sys.argv[1]).expanduser().resolve(), sys.argv[2:] or list(SCRIPTS)
    if not folder.is_dir():
        sys.exit(f"error: {folder} is no folder\n\n{(__doc__ or '').strip()}")
    if unknown := [name for name in chosen if name not in SCRIPTS]:
        sys.exit(f"error: got '{unknown[0]}', expected {', '.join(SCRIPTS)}")
    runs: dict[str, Callable[[Path, Path], tuple[Record, Record]]] = {
        "iqa_vdpve": compare_iqa,
        "vqa_vdpve": lambda script, work: compare_vqa(script, work, "vqa_vdpve"),
        "vqa_lsvq": lambda script, work: compare_vqa(script, work, "vqa_lsvq"),
    }
    table = Table(
        "experiment", "quantity", "worst relative difference", "", title=f"{STEPS} steps, {SAMPLES} samples"
    )
    wrong = 0
    for name in chosen:
        script = next(
            (p / SCRIPTS[name] for p in (folder, *folder.iterdir()) if (p / SCRIPTS[name]).is_file()), None
        )
        if script is None:
            sys.exit(f"error: there is no {SCRIPTS[name]} in {folder} or its folders\n\n{(__doc__ or '').strip()}")
        with tempfile.TemporaryDirectory() as work:
            ours, public = runs[name](script, Path(work))
        for quantity, apart in compare(ours, public).items():
            bad = apart > TOLERANCE and not quantity.startswith("(")
            wrong += bad
            table.add_row(name, quantity, f"{apart:.1e}", "differs" if bad else "")
    Console(width=110).print(table)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
