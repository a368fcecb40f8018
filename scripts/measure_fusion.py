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

from benchmarks.checkpoints import fused
from benchmarks.material import make_video, parts_of
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.models.base import BranchNet, score_video
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.video.reader import Video
from zoomvqa.views import Look
from zoomvqa.views.base import Looks

ROUNDS = 3


@torch.inference_mode()
def main() -> None:
    """Print the table."""
    checkpoint = fused()
    net = checkpoint.build_net()
    assert isinstance(net, FusionNet)  # noqa: S101
    looks = {name: branch.look for name, branch in checkpoint.description.branches.items()}
    scorer = Scorer(checkpoint, "cpu")
    keep_freed_memory()  # as predict.py does
    table = Table("video", "both networks", "decoding", "scoring the file", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for height in [int(a) for a in sys.argv[1:]] or [540, 720, 1080]:
            width = height * 16 // 9
            video = make_video(Path(folder) / f"{height}.mp4", width, height)
            works: list[Callable[[], object]] = [
                *(_network(own, looks[name], video) for name, own in net.branches.items()),
                lambda video=video: _decode(video, looks),  # type: ignore[misc]
                lambda video=video: scorer.score(video),  # type: ignore[misc]
            ]
            iqa, vqa, decoding, whole = _medians(works)
            ratio = whole / (iqa + vqa + decoding)
            told = [f"{iqa + vqa:.2f} s", f"{decoding:.2f} s", f"{whole:.2f} s", f"{ratio:.2f}"]
            table.add_row(f"{height}p, 240 frames", *told)
    Console().print(table)


def _network(net: BranchNet, look: Look, video: Path) -> Callable[[], object]:
    """Return the work of a branch's network on what it looks at of a video, which is made now."""
    parts = torch.from_numpy(parts_of(video, look))
    return lambda: score_video(net, parts, look.view.to_network, look.sampling.together)


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


def _decode(video: Path, looks: Looks) -> None:
    """Decode each frame that either branch looks at, once."""
    opened = Video(video)
    wanted = np.concatenate([look.sampling.choose(opened).ravel() for look in looks.values()])
    for _ in opened.frames(np.unique(wanted).tolist()):
        pass


if __name__ == "__main__":
    main()
