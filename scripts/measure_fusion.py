"""What scoring with both branches costs, against both networks alone and one decoding.

python scripts/measure_fusion.py [540|720|1080 …]

In one run, on the same video: a fused checkpoint's scoring of the file; the IQA network on the frames and the VQA
network on the clips it looks at, made beforehand; and decoding the frames that either needs, once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.material import make_video
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.calibration import fit_fusion
from zoomvqa.checkpoints import Checkpoint, FusionDescription, IQADescription, VQADescription
from zoomvqa.data.clip_source import ClipSource, ClipTaker
from zoomvqa.data.frame_source import FrameChoice, chosen_frames
from zoomvqa.data.normalise import normalise
from zoomvqa.data.views import TestView
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import build_iqa_net, score_views
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.net import score_clips
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.video.reader import Video

ROUNDS = 3


def fused() -> Checkpoint:
    """Return a fused checkpoint of the release's networks, with random weights."""
    mos = np.linspace(10, 90, 20)
    scale = fit_fusion(mos, mos / 100, mos, (0.0, 100.0), "val")
    iqa = IQADescription(version="0", unit="mos", network=IQANetwork(), sampling=FrameSampling(), view=FrameView())
    vqa = VQADescription(version="0", unit="none", network=VQANetwork(), sampling=ClipSampling(), view=ClipView())
    net = FusionNet(build_iqa_net(iqa.network, 320), build_vqa_net(vqa.network, 32, 336), scale)
    return Checkpoint(FusionDescription(version="0", iqa=iqa, vqa=vqa, scale=scale), net.state_dict(), "zoomvqa")


@torch.inference_mode()
def main() -> None:
    """Print the table."""
    checkpoint = fused()
    about = checkpoint.description
    assert isinstance(about, FusionDescription)  # noqa: S101
    net = checkpoint.build_net()
    assert isinstance(net, FusionNet)  # noqa: S101
    scorer = Scorer(checkpoint, "cpu")
    keep_freed_memory()  # as predict.py does
    table = Table("video", "both networks", "decoding", "scoring the file", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for height in [int(a) for a in sys.argv[1:]] or [540, 720, 1080]:
            width = height * 16 // 9
            video = make_video(Path(folder) / f"{height}.mp4", width, height)
            view = TestView(about.iqa.view)
            views = torch.stack([torch.from_numpy(view(f)) for f in chosen_frames(video, about.iqa.sampling)])
            pictures = torch.from_numpy(ClipSource(video, about.vqa.sampling, about.vqa.view, 4).pictures())
            works: list[Callable[[], object]] = [
                lambda views=views: score_views(net.iqa, views),  # type: ignore[misc]
                lambda pictures=pictures: score_clips(  # type: ignore[misc]
                    net.vqa, [normalise(p, about.vqa.view) for p in pictures]
                ),
                lambda video=video: _decode(video, about),  # type: ignore[misc]
                lambda video=video: scorer.score(video),  # type: ignore[misc]
            ]
            iqa, vqa, decoding, whole = _medians(works)
            ratio = whole / (iqa + vqa + decoding)
            told = [f"{iqa + vqa:.2f} s", f"{decoding:.2f} s", f"{whole:.2f} s", f"{ratio:.2f}"]
            table.add_row(f"{height}p, 240 frames", *told)
    Console().print(table)


def _medians(works: list[Callable[[], object]]) -> list[float]:
    """Return how long each takes, in turn, seconds."""
    times: list[list[float]] = [[] for _ in works]
    for round_ in range(ROUNDS + 1):
        for work, found in zip(works, times, strict=True):
            begin = time.perf_counter()
            work()
            if round_:  # the first is to warm up
                found.append(time.perf_counter() - begin)
    return [statistics.median(found) for found in times]


def _decode(video: Path, about: FusionDescription) -> None:
    """Decode each frame that either branch looks at, once."""
    opened = Video(video)
    clips = ClipTaker(opened.timeline, about.vqa.sampling, about.vqa.view, 4).wanted
    for _ in opened.frames(sorted({*FrameChoice(opened, about.iqa.sampling).wanted, *clips})):
        pass


if __name__ == "__main__":
    main()
