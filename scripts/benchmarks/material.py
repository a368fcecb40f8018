"""Videos to measure on, made here, and what branches look at of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from numpy.typing import NDArray

from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.views import Look, PartTaker
from zoomvqa.views.decoding import one_pass
from zoomvqa.views.store import open_for_parts


def make_video(path: Path, width: int, height: int, frames: int = 240, crf: int = 23, noise: int = 12) -> Path:
    """Make a video with detail, motion and noise.

    At a `crf` of 20, `noise` of 12 makes 30 Mbit/s of 540p, which is much work for a decoder, and 4 makes 2.7.
    """
    picture = f"testsrc2=size={width}x{height}:rate=30,noise=alls={noise}:allf=t"
    quiet, made = ["-loglevel", "error", "-f", "lavfi", "-i", picture], ["-frames:v", str(frames)]
    encoder = ["-c:v", "libx264", "-preset", "fast", "-crf", str(crf), "-pix_fmt", "yuv420p"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *quiet, *made, *encoder, str(path)], check=True)
    return path


def make_set(folder: Path, count: int) -> LabelledSet:
    """Make a labelled set of 720p videos for training; the last one is there for validation."""
    crfs = [18 + 24 * i // count for i in range(count)]
    paths = [make_video(folder / f"crf{crf}.mp4", 1280, 720, crf=crf) for crf in crfs]
    videos = [
        LabelledVideo(path.name, path, 100.0 - crf, path.name, "train")
        for path, crf in zip(paths, crfs, strict=True)
    ]
    last = videos[-1]
    videos[-1] = LabelledVideo(last.name, last.path, last.mos, last.content, "val")
    return LabelledSet("made", tuple(videos), (0.0, 100.0))


def parts_of(video: Path, look: Look) -> NDArray[Any]:
    """Return what a branch looks at of a video when it is tested: (parts, frames, …), as its view cuts frames.

    Raises:
        VideoError: it cannot be read.
    """
    store = open_for_parts(video, folders=look.sampling.takes_folders)
    taker = PartTaker(look, store, whole=True)
    one_pass(store, [taker])
    return taker.parts()
