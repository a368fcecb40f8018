"""Reading the clips of a video against decoding the same frames, and the memory of both and of scoring."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.material import make_video, parts_of
from benchmarks.timing import Rows, paired, peak_memory
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.checkpoints import BranchDescription, Checkpoint
from zoomvqa.checkpoints.load import build_described
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.video.clips import clip_indices
from zoomvqa.video.reader import Video
from zoomvqa.views import look_of


def data_rows() -> Rows:
    """Compare reading the clips of a video (4 of 32 frames) with decoding the same frames, in time and memory."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for width, height in ((1280, 720), (1920, 1080)):
            video = make_video(Path(folder) / f"{height}.mp4", width, height)
            ours, decoder, ratio = paired(partial(_prepare, video), partial(_decode, video))
            what = f"{height}p, 240 frames: decoding alone; with fragments"
            rows.append([what, f"{decoder:.2f} s", f"{ours:.2f} s", f"{1 / ratio:.2f} × as long"])
            told = [f"{peak_memory(partial(work, video)):.2f} GB" for work in (_decode, _prepare)]
            rows.append([f"{height}p: peak memory, decoding alone; with fragments", *told, ""])
            rows.append(
                [
                    f"{height}p: peak memory of scoring it with Swin-T",
                    "",
                    f"{peak_memory(partial(_score, video)):.2f} GB",
                    "",
                ]
            )
    return rows


def _decode(video: Path) -> None:
    opened = Video(video)
    wanted = np.unique(clip_indices(len(opened), 32, 2, 4)).tolist()
    for _ in opened.frames(wanted):
        pass


def _prepare(video: Path) -> None:
    parts_of(video, look_of(ClipSampling(test_clips=4), ClipView()))


def _score(video: Path) -> None:
    about = BranchDescription(
        version="0", branch="vqa", unit="none", network=VQANetwork(), sampling=ClipSampling(), view=ClipView()
    )
    weights = build_described(about).state_dict()
    keep_freed_memory()  # as predict.py does
    Scorer(Checkpoint(about, weights, "zoomvqa", "made"), "cpu").score(video)
