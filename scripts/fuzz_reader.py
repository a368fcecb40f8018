"""Read damaged videos in bulk: python scripts/fuzz_reader.py [count] [seed] [folder of real videos].

Videos in mp4, mkv, webm, ts and avi, made here or encoded from the real ones, are damaged in many ways. Each is
opened, and all of its frames are read; where that fails for damage, what decodes of it is salvaged. No damage may
hang or end the run, every file has an outcome, and nothing that ffmpeg itself decodes no frame of may be read to
its end. Each frame that is salvaged, or is of a file whose pictures are whole, must be one that ffmpeg decodes.
Then all files go through the processes that feed the networks, where each must come to its one end, too. Prints
the counts, and exits with 1 where that does not hold.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.damages import HARMLESS, damaged_files
from benchmarks.feeding import feed
from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.isolated import Lost, run_isolated
from zoomvqa.ladder.encode import ffmpeg_program, run_ffmpeg
from zoomvqa.video.rate import frames_at_rate
from zoomvqa.video.salvage import salvage
from zoomvqa.views.decoding import FrameStore
from zoomvqa.views.store import open_store

CODECS = {
    "mp4": ["-c:v", "libx264", "-preset", "veryfast", "-movflags", "+faststart"],
    "mkv": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
    "webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "ts": ["-c:v", "libx264", "-preset", "veryfast"],
    "avi": ["-c:v", "mpeg4", "-q:v", "5"],
}
# Seconds after which a file is given up.
PATIENCE = 60.0
# Of a damaged file's frames, how many must decode.
LEAST_SHARE = 0.25
# How often ffmpeg decodes a file again, to see whether its frames are the same each time.
_AGAIN = 12
# Pictures that the times of two seconds may ask for.
_MOST = 10_000


def encode_sources(folder: Path, real: Path | None) -> list[Path]:
    """Return two seconds of each real video, or of two made pictures, in every container."""
    made = [["-f", "lavfi", "-i", f"{picture}=size=192x128:rate=25"] for picture in ("testsrc2", "mandelbrot")]
    inputs = [["-i", str(path.resolve())] for path in sorted(real.iterdir()) if path.is_file()] if real else made
    found = []
    for number, source in enumerate(inputs):
        for ending, codec in CODECS.items():
            path = folder / f"source_{number}.{ending}"
            scale = ["-vf", "scale=320:-2,format=yuv420p"] if real else ["-pix_fmt", "yuv420p"]
            run_ffmpeg([*source, "-t", "2", "-an", *scale, *codec, str(path)])
            found.append(path)
    return found


def decode_with_ffmpeg(path: Path) -> list[str]:
    """Return the checksums of the frames that ffmpeg itself decodes of a file, with one thread."""
    command = [ffmpeg_program(), "-nostdin", "-v", "quiet", "-threads", "1", "-i", str(path), "-map", "0:v:0"]
    command += ["-noautoscale", "-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return [line.split(",")[-1].strip() for line in done.stdout.splitlines() if line and line[0] != "#"]


frames_of_ffmpeg = cache(decode_with_ffmpeg)


class Seen(NamedTuple):
    """What came of a file: the kind of outcome, why, and the checksums of its frames."""

    outcome: str
    reason: str = ""
    frames: tuple[str, ...] = ()


def look(path: Path) -> Seen:
    """Read all frames of a file, or what can be salvaged of it; done in a process of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders print a line for each damaged block
    try:
        return Seen("read", "", _frames(open_store(path)))
    except DamagedError:
        pass
    except VideoError as error:
        return Seen("refused with a reason", str(error))
    try:
        store = salvage(path, LEAST_SHARE)
        return Seen("read in part", store.damage, _frames(store))
    except VideoError as error:
        return Seen("too little decodes", str(error))


def _frames(store: FrameStore) -> tuple[str, ...]:
    if len(frames_at_rate(store.timeline, 2.0)) > _MOST:
        raise RuntimeError("its times ask for too many pictures")
    sums = (
        hashlib.md5(frame.tobytes(), usedforsecurity=False) for frame in store.frames(range(len(store.timeline)))
    )
    return tuple(each.hexdigest() for each in sums)


class Found(NamedTuple):
    """What came of all files.

    Attributes:
        read: counts of the outcomes of reading them by themselves, by container.
        fed: counts of what they came to where the networks are fed.
        wrong: what must not be.
    """

    read: Counter[str]
    fed: Counter[str]
    wrong: list[str]


def fuzz(sources: list[Path], folder: Path, count: int, seed: int, workers: int) -> Found:
    """Read damaged files, and feed them.

    Args:
        sources: sound files.
        folder: to write damaged ones into.
        count: how many.
        seed: of the damages.
        workers: processes that read.
    """
    outcomes, wrong, seen = Counter[str](), list[str](), dict[Path, str]()
    files = damaged_files(sources, folder, count, seed)
    for path, found in run_isolated(
        look, files, workers=workers, seconds=PATIENCE, preload="zoomvqa.video.salvage"
    ):
        if path in seen:
            wrong.append(f"{path.name} has two outcomes")
        result = _lost(found) if isinstance(found, Lost) else found
        seen[path] = result.outcome
        outcomes[f"{path.suffix[1:]}: {result.outcome}"] += 1
        wrong += [f"{path.name}: {trouble}" for trouble in _troubles(path, result)]
    if len(seen) != count:
        wrong.append(f"{count - len(seen)} files have no outcome")
    fed, troubles = feed(
        seen, lambda path: bool(frames_of_ffmpeg(path)), share=LEAST_SHARE, workers=workers, patience=PATIENCE
    )
    return Found(outcomes, fed, wrong + troubles)


def _lost(found: Lost) -> Seen:
    if "crashed" in found.reason:
        return Seen("crash, contained", found.reason)
    return Seen("hang, contained" if "longer than" in found.reason else "unforeseen error", found.reason)


def _troubles(path: Path, result: Seen) -> Iterator[str]:
    if result.outcome == "unforeseen error":
        yield result.reason
    if not result.outcome.startswith("read"):
        return
    theirs = frames_of_ffmpeg(path)
    if not theirs:
        yield f"it was {result.outcome}, but ffmpeg decodes no frame of it"
    elif result.outcome == "read in part" or _is_harmless(path):
        left = iter(theirs)
        missing = sum(frame not in left for frame in result.frames)
        if missing and not _is_unsteady(path):
            count = len(result.frames)
            yield f"{result.outcome}: {missing} of {count} frames are not among ffmpeg's {len(theirs)}"


def _is_unsteady(path: Path) -> bool:
    """Tell whether ffmpeg itself decodes a file differently from run to run, where a part of it is lost."""
    return any(decode_with_ffmpeg(path) != frames_of_ffmpeg(path) for _ in range(_AGAIN))


def _is_harmless(path: Path) -> bool:
    """Tell whether a file's pictures are whole.

    Others may be read to their end with damage that FFmpeg does not notice, and what it makes of that differs with
    the number of threads.
    """
    return path.stem.endswith(tuple(damage.__name__ for damage in HARMLESS))


def main() -> None:
    """Run it and print the counts."""
    count, seed = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 500), (2, 0)))
    real = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(encode_sources(Path(folder), real), Path(folder), count, seed, workers=2)
    kinds = sorted({name.split(": ")[1] for name in found.read})
    table = Table("container", *kinds, title=f"{count} damaged files, {time.monotonic() - begin:.0f} s")
    for ending in CODECS:
        table.add_row(ending, *(str(found.read[f"{ending}: {kind}"]) for kind in kinds))
    Console().print(table)
    print("fed to the networks:", ", ".join(f"{number} {kind}" for kind, number in sorted(found.fed.items())))
    print(*found.wrong, sep="\n", end="\n" if found.wrong else "")
    sys.exit(1 if found.wrong else 0)


if __name__ == "__main__":
    main()
