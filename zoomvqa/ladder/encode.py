"""Cutting, degrading and judging clips with the ffmpeg program of the `imageio-ffmpeg` package."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from zoomvqa.errors import ToolError, VideoError
from zoomvqa.ladder.rungs import Rung

# One thread and no version strings: the same clip from the same program, bit by bit.
_EXACT = ("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-an")


# How pristine segments are kept while clips are made of them: without loss, and read in no time.
_LOSSLESS = ("-c:v", "ffvhuff")

# Half of a ladder's time goes into encoding. The slower presets make the same degradations in fewer bits.
_PRESET = "faster"


def ffmpeg_program() -> str:
    """Return the path of the ffmpeg program.

    Raises:
        ToolError: the package that carries it is not installed, or does not carry it for this system.
    """
    try:
        import imageio_ffmpeg  # noqa: PLC0415  optional
    except ImportError:
        raise ToolError("making a ladder needs ffmpeg: install it with `pip install 'zoomvqa[demo]'`") from None
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ToolError(f"making a ladder needs ffmpeg: {' '.join(str(error).split())}") from None


def run_ffmpeg(arguments: list[str], folder: Path | None = None) -> None:
    """Run ffmpeg quietly.

    Raises:
        VideoError: it failed; the message is its last line.
        OSError: there is no room for what it writes.
    """
    command = [ffmpeg_program(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder or arguments[-1]))
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise VideoError(f"ffmpeg failed: {lines[-1] if lines else f'exit code {done.returncode}'}")


def cut_pristine(source: Path, start: float, seconds: float, height: int, output: Path) -> None:
    """Cut a segment, bring it to at most `height` lines, and keep it without loss (FFVHUFF in Matroska)."""
    scale = f"scale=-2:'2*trunc(min({height},ih)/2)':flags=lanczos,setsar=1,format=yuv420p"
    cut = ["-ss", f"{start:.3f}", "-t", f"{seconds:.3f}", "-i", str(source.resolve())]
    run_ffmpeg([*cut, "-vf", scale, *_EXACT, *_LOSSLESS, str(output.resolve())])


def keep_frames(frames: Iterable[bytes], size: tuple[int, int], fps: int, output: Path) -> None:
    """Keep frames of `size` (width, height), 8-bit RGB by rows, as YUV 4:2:0 without further loss (FFVHUFF)."""
    raw = output.with_suffix(".rgb")
    with raw.open("wb") as handle:
        handle.writelines(frames)
    told = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{size[0]}x{size[1]}"]
    exact = "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,setsar=1,format=yuv420p"
    source = [*told, "-framerate", str(fps), "-i", str(raw.resolve())]
    run_ffmpeg([*source, "-vf", exact, *_EXACT, *_LOSSLESS, str(output.resolve())])
    raw.unlink()


def degrade(pristine: Path, rung: Rung, size: tuple[int, int], output: Path) -> None:
    """Encode a rung of the ladder from a pristine segment of `size` (width, height) as H.264 in MP4."""
    filters = rung.filters.format(w=size[0], h=size[1]) + ",format=yuv420p"
    codec = ["-c:v", "libx264", "-preset", _PRESET, "-crf", str(rung.crf), "-movflags", "+faststart"]
    run_ffmpeg(["-i", str(pristine.resolve()), "-vf", filters, *_EXACT, *codec, str(output.resolve())])


def vmaf(clip: Path, pristine: Path) -> float:
    """Return the VMAF (0..100, default model, mean over frames) of a clip against its pristine segment.

    Raises:
        VideoError: libvmaf failed, or compared no frames.
    """
    # Frames are paired by number: Matroska rounds times to milliseconds, which would pair neighbours.
    graph = "[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];[a][b]"
    graph += "libvmaf=log_fmt=json:log_path=vmaf.json:n_threads=1"
    with tempfile.TemporaryDirectory() as folder:
        inputs = ["-i", str(clip.resolve()), "-i", str(pristine.resolve())]
        run_ffmpeg([*inputs, "-lavfi", graph, "-f", "null", "-"], Path(folder))
        score = _pooled(Path(folder) / "vmaf.json")
    if not math.isfinite(score):
        raise VideoError(f"VMAF of {clip.name} is not a number")
    return score


def _pooled(report: Path) -> float:
    """Return the score in a report; ffmpeg does not tell when it could not write it.

    Raises:
        OSError: it is not whole, for which a full disk is the only reason known.
        VideoError: no frames were compared.
    """
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
    except ValueError:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(report)) from None
    try:
        return float(told["pooled_metrics"]["vmaf"]["mean"])
    except (KeyError, TypeError, ValueError):
        raise VideoError("libvmaf compared no frames") from None
