"""Read damaged videos in bulk: python scripts/fuzz_reader.py [count] [seed] [folder of real videos].

Videos in mp4, mkv, webm, ts and avi, made here or encoded from the real ones, are damaged in many ways and read as
scoring reads them. No damage may hang or end the run, every file has an outcome, and nothing that ffmpeg itself
decodes no frame of may be read to its end. Prints the counts, and exits with 1 where that does not hold.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from zoomvqa.ladder.encode import ffmpeg_program, run_ffmpeg
from zoomvqa.scoring.feeders import Ending, Failure, Feeders, Task
from zoomvqa.scoring.pieces import ClipLook, FrameLook
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView

CODECS = {
    "mp4": ["-c:v", "libx264", "-preset", "veryfast", "-movflags", "+faststart"],
    "mkv": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
    "webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "ts": ["-c:v", "libx264", "-preset", "veryfast"],
    "avi": ["-c:v", "mpeg4", "-q:v", "5"],
}
TASK = Task(
    {
        "iqa": FrameLook(FrameSampling(), FrameView(resize=64, crop=64)),
        "vqa": ClipLook(ClipSampling(clip_len=8), ClipView(resize=-1, grid=4, side=16)),
    },
    "auto",
)
# Seconds without a sign after which a file is given up.
PATIENCE = 30.0


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


def flipped(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Turn over some bits."""
    for _time in range(draw.choice([1, 8, 64, 512])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def cut(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Cut off the end."""
    return bytes(data[: draw.randrange(len(data))])


def beheaded(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Cut off the beginning."""
    return bytes(data[draw.randrange(1, len(data)) :])


def blanked(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Overwrite a part with zeros or noise."""
    begin, length = draw.randrange(len(data)), draw.choice([64, 1024, 16384])
    length = min(length, len(data) - begin)
    data[begin : begin + length] = bytes(length) if draw.random() < 0.5 else draw.randbytes(length)
    return bytes(data)


def spliced(data: bytearray, draw: random.Random, other: bytes) -> bytes:
    """Put the header of another file before the rest."""
    length = draw.choice([16, 256, 4096])
    return other[:length] + bytes(data[length:])


def shuffled(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Exchange two parts."""
    length = max(1, min(4096, len(data) // 4))
    one, two = sorted(draw.randrange(len(data) - length) for _ in "ab")
    data[one : one + length], data[two : two + length] = data[two : two + length], data[one : one + length]
    return bytes(data)


def swollen(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Put noise in between."""
    at = draw.randrange(len(data))
    return bytes(data[:at]) + draw.randbytes(draw.choice([1, 100, 10000])) + bytes(data[at:])


DAMAGES: tuple[Callable[[bytearray, random.Random, bytes], bytes], ...] = (
    flipped, cut, beheaded, blanked, spliced, shuffled, swollen,
)  # fmt: skip


def damaged_files(sources: list[Path], folder: Path, count: int, seed: int) -> Iterator[tuple[Path, Path]]:
    """Write damaged files one after the other, and yield each twice: its name, and where it is."""
    draw = random.Random(seed)  # noqa: S311  damage, not a secret
    for number in range(count):
        source, other = sources[number % len(sources)], draw.choice(sources)
        damage = DAMAGES[number // len(sources) % len(DAMAGES)]
        path = folder / f"{number:05d}_{damage.__name__}{source.suffix}"
        path.write_bytes(damage(bytearray(source.read_bytes()), draw, other.read_bytes()))
        yield path, path


def frames_of_ffmpeg(path: Path) -> int:
    """Return how many frames ffmpeg itself decodes of a file."""
    command = [ffmpeg_program(), "-nostdin", "-v", "quiet", "-i", str(path), "-map", "0:v:0", "-f", "null"]
    done = subprocess.run(
        [*command, "-progress", "pipe:1", "-"], capture_output=True, text=True, timeout=120, check=False
    )
    counts = re.findall(r"frame=\s*(\d+)", done.stdout)
    return int(counts[-1]) if counts else 0


def fuzz(sources: list[Path], folder: Path, count: int, seed: int, workers: int) -> tuple[Counter[str], list[str]]:
    """Read damaged files; return the counts of outcomes by container and damage, and what must not be.

    Args:
        sources: sound files.
        folder: to write damaged ones into.
        count: how many.
        seed: of the damages.
        workers: processes that read.
    """
    outcomes, wrong, seen = Counter[str](), list[str](), set[Path]()
    for path, message in Feeders[Path](TASK, workers, PATIENCE).look(damaged_files(sources, folder, count, seed)):
        if not isinstance(message, Ending | Failure):
            continue
        if path in seen:
            wrong.append(f"{path.name} has two outcomes")
        seen.add(path)
        outcome = "read" if isinstance(message, Ending) else _kind(message.reason)
        outcomes[f"{path.suffix[1:]}: {outcome}"] += 1
        if outcome == "read" and not frames_of_ffmpeg(path):
            wrong.append(f"{path.name} was read, but ffmpeg decodes no frame of it")
        path.unlink()
    if len(seen) != count:
        wrong.append(f"{count - len(seen)} files have no outcome")
    return outcomes, wrong


def _kind(reason: str) -> str:
    if reason.startswith("the decoder crashed"):
        return "crash, contained"
    return "hang, contained" if "gave no sign" in reason else "refused with a reason"


def main() -> None:
    """Run it and print the counts."""
    count, seed = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 500), (2, 0)))
    real = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcomes, wrong = fuzz(encode_sources(Path(folder), real), Path(folder), count, seed, workers=2)
    kinds = sorted({name.split(": ")[1] for name in outcomes})
    table = Table("container", *kinds, title=f"{count} damaged files, {time.monotonic() - begin:.0f} s")
    for ending in CODECS:
        table.add_row(ending, *(str(outcomes[f"{ending}: {kind}"]) for kind in kinds))
    Console().print(table)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
