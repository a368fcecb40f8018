"""No-reference video quality assessment: patches, frames and clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from zoomvqa.scoring.branches import Precision
    from zoomvqa.scoring.scorer import Scorer
    from zoomvqa.video.reader import ReaderName
    from zoomvqa.video.show import HDR, Interlaced, PixelShape

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(
    ckpt: str | Path,
    *,
    device: str = "auto",
    precision: Precision = "32-true",
    reader: ReaderName = "auto",
    test_crops: int | None = None,
    test_clips: int | None = None,
    min_share: float = 1.0,
    compile: bool = False,  # noqa: A002  as predict.py has it
    hdr: HDR = "as_is",
    pixels: PixelShape = "as_is",
    interlaced: Interlaced = "as_is",
    plugins: Sequence[str] = (),
) -> Scorer:
    """Return what scores videos with a checkpoint: `zoomvqa.load("fused.ckpt").score("video.mp4")`.

    Args:
        ckpt: a file of ours (one branch, or several fused), a public Zoom-VQA or FAST-VQA file, or the name of
            one, such as `fast-vqa-b`, which is downloaded once.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of the networks: 32-true, bf16-mixed or 16-mixed.
        reader: auto, decord, pyav or torchcodec.
        test_crops: crops a frame of branches that look at crops; None is what the checkpoint was validated with.
        test_clips: clips a video of branches that look at clips; None is what the checkpoint was validated with.
        min_share: of a damaged video's frames that must decode for it to be scored on them, above 0; 1 refuses any
            damaged video.
        compile: on a CPU, build the attention of a Video Swin in C++, which takes ten seconds the first time.
        hdr: as_is, or tonemap: PQ and HLG videos are tone mapped to BT.709.
        pixels: as_is, or square: videos of non-square pixels are stretched to their true shape.
        interlaced: as_is, or deinterlace.
        plugins: modules that register what the checkpoint is made of, beside those of installed packages.

    Raises:
        zoomvqa.errors.UserError: the checkpoint is missing, unsafe, damaged or of another kind, cannot be
            downloaded, or the device is not there, or nothing can be compiled.
    """
    from zoomvqa.checkpoints import load_checkpoint, weights_file  # noqa: PLC0415  `import zoomvqa` stays quick
    from zoomvqa.extensions import import_plugins  # noqa: PLC0415
    from zoomvqa.scoring.scorer import Scorer  # noqa: PLC0415
    from zoomvqa.video.show import Show  # noqa: PLC0415

    import_plugins(plugins)
    checkpoint = load_checkpoint(weights_file(ckpt, "ckpt"))
    show = Show(hdr, pixels, interlaced)
    return Scorer(checkpoint, device, precision, reader, test_crops, test_clips, min_share, compile, show)
