"""What ffmpeg itself decodes of a file: the judge of our readers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np


def decoded_bytes(path: Path, *before: str, strict: bool = True, filters: str = "null") -> bytes:
    """All frames of a file as ffmpeg decodes and filters them, rgb24, in a row, each in its own size."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", *before, "-i", str(path)]
    command += [
        "-noautoscale",
        "-vf",
        filters,
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    return subprocess.run(command, check=strict, capture_output=True).stdout


def decoded(
    path: Path, height: int, width: int, *before: str, strict: bool = True, filters: str = "null"
) -> np.ndarray:
    """The same as an array (frames, height, width, 3)."""
    raw = decoded_bytes(path, *before, strict=strict, filters=filters)
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, height, width, 3)
