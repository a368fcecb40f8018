"""Makes the files of the reader matrix: a few small encodes, and stream copies of them into every container."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import imageio_ffmpeg
import pytest


class Encode(NamedTuple):
    """How a source is encoded from a test picture whose frames differ, but for the smallest sizes.

    Attributes:
        options: of ffmpeg, for the encoder.
        ending: of the file, which names the container.
        size: of the test picture.
        frames: how many.
        rate: frames a second.
        edit: takes the encoded file's bytes, returns those to be written.
        passes: 2 where the encoder is to look at everything first.
    """

    options: tuple[str, ...]
    ending: str = "mp4"
    size: str = "160x96"
    frames: int = 28
    rate: str = "25"
    edit: Callable[[bytes], bytes] | None = None
    passes: int = 1


class Made(NamedTuple):
    """How a file of the matrix is made from an encoded source, without encoding its video again.

    Attributes:
        source: name of its `Encode`.
        after: ffmpeg's options between the source and the file.
        before: ffmpeg's options before the source.
        sound: whether it gets a sound track.
        edit: takes the made file's bytes, returns those to be written.
    """

    source: str
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    sound: bool = False
    edit: Callable[[bytes], bytes] | None = None


def names(quick: dict[str, Made], slow: dict[str, Made]) -> list[Any]:
    """Return the names of all files as a test's parameters, those that are not in `quick` marked as slow."""
    return [*quick, *(pytest.param(name, marks=pytest.mark.slow) for name in slow if name not in quick)]


def run(*arguments: str | Path) -> None:
    """Run ffmpeg.

    Raises:
        RuntimeError: it fails, with its message.
    """
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-nostdin", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ffmpeg {' '.join(command[5:])}: {done.stderr.strip()[-400:]}")


def encode(folder: Path, name: str, how: Encode) -> Path:
    """Return an encoded source, made where it is not there yet.

    Raises:
        RuntimeError: ffmpeg cannot make it.
    """
    path = folder / f"{name}.{how.ending}"
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={how.size}:rate={how.rate}")
    options = (*picture, "-frames:v", str(how.frames), *how.options)
    if how.passes == 2 and not path.exists():
        log = ("-passlogfile", str(folder / f"{name}.{os.getpid()}"))
        run(*options, *log, "-pass", "1", "-f", "null", "-")
        options = (*options, *log, "-pass", "2")
    return _written(path, options, how.edit)


def make(folder: Path, name: str, made: Made, sources: dict[str, Encode]) -> Path:
    """Return a file of the matrix, made where it is not there yet; its source is kept in `folder`/sources.

    Raises:
        RuntimeError: ffmpeg cannot make it.
    """
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    source = encode(folder / "sources", made.source, sources[made.source])
    sound = ("-f", "lavfi", "-i", "sine=sample_rate=44100") if made.sound else ()
    shortest = ("-ac", "2", "-t", "1.4") if made.sound else ()
    options = (*made.before, "-i", str(source), *sound, "-c:v", "copy", *shortest, *made.after)
    return _written(folder / name, options, made.edit)


def _written(path: Path, options: tuple[str, ...], edit: Callable[[bytes], bytes] | None) -> Path:
    """Make a file under another name first: several processes may want it."""
    if not path.exists():
        work = path.with_name(f"part.{os.getpid()}.{path.name}")
        run(*options, work)
        if edit:
            work.write_bytes(edit(work.read_bytes()))
        work.replace(path)
    return path
