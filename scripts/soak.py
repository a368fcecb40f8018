"""Score many short videos in one run and watch what it holds: python scripts/soak.py [count] [workers].

Videos of many sizes and codecs, one in eight of them broken, are scored by both branches of a small network; some
make the process that decodes them crash or hang. Memory, file handles and processes are looked at all the time.
Exits with 1 where memory at the end is more than 10 % above that after the first 200 videos, where handles or
processes are left over, or where a video has no row, two, or another score than the same file has elsewhere.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.checkpoints import fused
from benchmarks.processes import Held, descendants, held, wait_until_alone
from benchmarks.spoilt import CRASHES, HANGS, serve_spoilt
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.ladder.encode import run_ffmpeg
from zoomvqa.scoring import feeders
from zoomvqa.scoring.bulk import score_many
from zoomvqa.scoring.scorer import Scorer, VideoScore

# What memory is compared with is that after so many videos, or a third of fewer.
FIRST = 200
GROWTH = 1.10
# Seconds without a sign after which a video is given up.
PATIENCE = 60.0
SIZES = ("128x96", "160x120", "200x112", "320x180", "180x320", "426x240")
CODECS = {
    "mp4": ["-c:v", "libx264", "-preset", "ultrafast"],
    "mkv": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
    "webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "ts": ["-c:v", "libx264", "-preset", "ultrafast"],
    "avi": ["-c:v", "mpeg4"],
    "mov": ["-c:v", "mjpeg"],
}
# One in so many makes its decoder crash, and hang.
RARE = {CRASHES: 100, HANGS: 400}
Sample = tuple[int, Held]


def make_files(folder: Path, sizes: Sequence[str] = SIZES) -> list[Path]:
    """Return a sound video of each size and codec, and broken ones: of all sizes, one in eight."""
    sound = []
    for number, size in enumerate(sizes):
        for ending, codec in CODECS.items():
            path = folder / f"{size}.{ending}"
            picture = f"testsrc2=size={size}:rate=25" if number % 2 else f"mandelbrot=size={size}:rate=30"
            frames = ["-frames:v", str(10 + 7 * number), "-pix_fmt", "yuv420p"]
            run_ffmpeg(["-f", "lavfi", "-i", picture, *frames, *codec, str(path)])
            sound.append(path)
    broken = {
        "empty.mp4": b"",
        "noise.mkv": random.Random(0).randbytes(5000),  # noqa: S311  damage, not a secret
        "cut.mp4": sound[0].read_bytes()[:2000],
        "cut.avi": sound[4].read_bytes()[:3000],
        "text.webm": b"no video\n" * 100,
    }
    for name, data in broken.items():
        (folder / f"broken_{name}").write_bytes(data)
    return [*sound, *(folder / f"broken_{name}" for name in broken)]


def videos(
    files: Sequence[Path], folder: Path, count: int, ruins: Mapping[str, int]
) -> Iterator[tuple[str, Path]]:
    """Yield names and files: links to those that were made, some of them with names that ruin their decoder."""
    draw = random.Random(0)  # noqa: S311  an order, not a secret
    for number in range(count):
        file = draw.choice(files)
        kind = next((kind for kind, rare in ruins.items() if number % rare == rare // 2), "video")
        path = folder / f"{number:06d}_{kind}_{file.name}"
        os.link(file, path)
        yield path.name, path


def soak(
    count: int,
    workers: int,
    folder: Path,
    files: Sequence[Path],
    *,
    ruins: Mapping[str, int] = RARE,
    patience: float = PATIENCE,
) -> tuple[list[Sample], dict[str, VideoScore], list[str]]:
    """Score videos; return what was held along the way, the results, and what is wrong.

    Args:
        count: how many videos.
        workers: processes that decode.
        folder: for the links to the files.
        files: what is scored, in turn.
        ruins: one in how many makes its decoder crash, and hang.
        patience: see `PATIENCE`.
    """
    scorer = Scorer(fused(small=True), "cpu")
    keep_freed_memory()
    vars(feeders)["_serve"], every = serve_spoilt, max(1, count // 400)
    before, beside = held(), descendants(os.getpid())
    samples, results, wrong = list[Sample](), dict[str, VideoScore](), list[str]()
    given = ((name, str(path)) for name, path in videos(files, folder, count, ruins))
    for name, result in score_many(scorer, given, workers=workers, patience=patience):
        if name in results:
            wrong.append(f"{name} has two rows")
        results[name] = result
        if len(results) % every == 0:
            samples.append((len(results), held()))
    left, after = wait_until_alone(beside=beside), held()
    if left:
        wrong.append(f"{len(left)} processes are left over: {left}")
    # What Python keeps for starting processes has a few handles of its own.
    if after.handles > before.handles + 8:
        wrong.append(f"{before.handles} file handles before the run, {after.handles} after it")
    return samples, results, wrong + grown(samples, count, workers) + misjudged(results, count)


def stretches(samples: list[Sample], count: int) -> tuple[list[Held], list[Held]]:
    """Return the samples of a tenth of the run after the first videos, and of its last tenth."""
    first, length = min(FIRST, count // 3), max(3, count // 10)
    return (
        [found for done, found in samples if first < done <= first + length],
        [found for done, found in samples if done > count - length],
    )


def grown(samples: list[Sample], count: int, workers: int) -> list[str]:
    """Say what there is more of at the end of the run than after its first videos."""
    early, late = stretches(samples, count)
    wrong = []
    one, other = (statistics.median(found.memory for found in part) for part in (early, late))
    if other > GROWTH * one:
        wrong.append(f"memory grew from {one:.0f} MB to {other:.0f} MB")
    for name in ("handles", "all_handles"):
        few, many = (statistics.median(getattr(found, name) for found in part) for part in (early, late))
        if many > few + 4:
            wrong.append(f"{name} grew from {few:.0f} to {many:.0f}")
    # A helper that forks and one that cleans up, and for moments a process that takes the place of another.
    if (most := max(found.children for _, found in samples)) > 2 * workers + 2:
        wrong.append(f"there were {most} processes for {workers} workers")
    return wrong


def misjudged(results: dict[str, VideoScore], count: int) -> list[str]:
    """Say which results are missing, or not what they must be."""
    wrong = [f"{count - len(results)} videos have no row"] if len(results) != count else []
    scores: dict[str, set[float | None]] = {}
    for name, result in results.items():
        _, kind, file = name.split("_", 2)
        ruined = kind in RARE
        if (ruined or file.startswith("broken")) != (result.score is None):
            wrong.append(f"{name}: score {result.score}, error {result.error!r}")
        if not ruined:
            scores.setdefault(file, set()).add(result.score)
    return wrong + [f"{file} has {len(found)} scores" for file, found in scores.items() if len(found) > 1]


def show(samples: list[Sample], results: dict[str, VideoScore], seconds: float) -> None:
    """Print what was held, twenty times along the run, and the kinds of outcomes."""
    table = Table("videos", "memory, MB", "of it this process", "handles", "of all", "processes", title="held")
    for done, found in samples[:: max(1, len(samples) // 20)]:
        memory = (f"{found.memory:.0f}", f"{found.own:.0f}")
        table.add_row(str(done), *memory, str(found.handles), str(found.all_handles), str(found.children))
    Console().print(table)
    kinds = Counter("scored" if r.score is not None else " ".join(r.error.split()[:4]) for r in results.values())
    told = ", ".join(f"{times} × {kind}" for kind, times in kinds.most_common(8))
    print(f"{len(results)} videos in {seconds:.0f} s: {told}")


def main() -> None:
    """Run it and print the table."""
    count, workers = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 2000), (2, 2)))
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        (links := Path(folder) / "links").mkdir()
        samples, results, wrong = soak(count, workers, links, make_files(Path(folder)))
    show(samples, results, time.monotonic() - begin)
    early, late = (statistics.median(h.memory for h in part) for part in stretches(samples, count))
    print(f"memory: {early:.0f} MB after the first videos, {late:.0f} MB at the end: {late / early:.3f} ×")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
