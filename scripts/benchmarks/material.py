"""Videos to measure on, made here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo


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
