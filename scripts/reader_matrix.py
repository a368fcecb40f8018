"""Compare what readers give of many videos with what ffmpeg decodes: python scripts/reader_matrix.py [folder …].

Without a folder the files of the tests' matrix are made and compared, else the files of the folders. Each is read
with reader=auto and reader=pyav: in sequence, a few frames far apart, the last alone, again and repeated. The
number of frames and every pixel must be ffmpeg's. Where ffmpeg decodes nothing, an error is right. Prints a line
for each file and reader, and exits with 1 where something differs.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import VideoError
from zoomvqa.isolated import Lost, run_isolated
from zoomvqa.ladder.encode import ffmpeg_program
from zoomvqa.video.reader import Video

# Seconds after which a file is given up.
PATIENCE = 120.0
# Bytes of ffmpeg's frames that are held to say how far a wrong one is from them.
_MOST_HELD = 400_000_000
# Where the matrix of made files is told.
_TESTS = Path(__file__).resolve().parents[1] / "tests" / "video"


class Seen(NamedTuple):
    """What came of a file with one reader.

    Attributes:
        asked: the reader asked for.
        used: the reader that gave the frames, empty where none did; both where it was changed midway.
        troubles: what differs from ffmpeg.
        error: what was raised on opening the file.
    """

    asked: str
    used: str
    troubles: tuple[str, ...] = ()
    error: str = ""


def sums_of_ffmpeg(path: Path) -> list[str]:
    """Return the checksum of each frame that ffmpeg decodes of a file, as RGB, turned and cropped as it does."""
    lines = _ffmpeg(path, "-f", "framemd5").decode().splitlines()
    return [line.split(",")[-1].strip() for line in lines if line and line[0] != "#"]


def _ffmpeg(path: Path, *options: str) -> bytes:
    command = [ffmpeg_program(), "-nostdin", "-v", "quiet", "-i", str(path), "-an", "-sn", "-dn", "-noautoscale"]
    command += ["-fps_mode", "passthrough", "-pix_fmt", "rgb24", *options, "-"]
    return subprocess.run(command, capture_output=True, check=False).stdout


def reads(count: int) -> list[list[list[int]]]:
    """Return which frames are asked for: for each time that a file is opened, one list after the other."""
    last, middle = count - 1, count // 2
    sparse = sorted([count // 9, count // 3, count // 3, 2 * count // 3, 2 * count // 3, 8 * count // 9])
    return [
        [list(range(count)), [middle, last]],
        [[last], sparse],
    ]


def look(path: Path) -> list[Seen]:
    """Read a file with each reader, and compare with ffmpeg."""
    truth = sums_of_ffmpeg(path)
    found = [_look(path, "auto", truth)]
    # Where auto takes PyAV, that it reads the same again proves nothing more.
    found.append(found[0]._replace(asked="pyav") if found[0].used == "pyav" else _look(path, "pyav", truth))
    if truth and len({bool(seen.error) for seen in found}) > 1:
        found = [seen._replace(troubles=(*seen.troubles, "only one reader refuses it")) for seen in found]
    return found


def _look(path: Path, asked: str, truth: Sequence[str]) -> Seen:
    try:
        video = Video(path, asked)
        if not truth:
            list(video.frames([0]))
            return Seen(asked, video.reader, ("it gives a frame, ffmpeg decodes none",))
    except VideoError as error:
        wrong = [f"refused, ffmpeg decodes {len(truth)} frames: {error}"] if truth else []
        return Seen(asked, "", tuple(wrong), str(error))
    troubles = [f"{len(video)} frames, ffmpeg decodes {len(truth)}"] if len(video) != len(truth) else []
    used = ""
    for number, lists in enumerate(reads(len(video))):
        video = Video(path, asked) if number else video
        began = video.reader
        for indices in lists:
            troubles += _read(video, indices, truth)
        used = began if video.reader == began else f"{began}, then {video.reader}"
    return Seen(asked, used, tuple(dict.fromkeys(troubles)))


def _read(video: Video, indices: Sequence[int], truth: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the frames of `indices`."""
    wrong: list[tuple[int, NDArray[np.uint8]]] = []
    try:
        for index, frame in zip(indices, video.frames(indices), strict=True):
            if index >= len(truth) or _sum(frame) != truth[index]:
                wrong.append((index, frame))
    except VideoError as error:
        yield f"{_name(indices)}: error: {error}"
    if wrong:
        said = [_explained(video.path, index, frame, truth) for index, frame in wrong]
        worst = next((text for text in said if "is" in text), said[0])
        yield f"{_name(indices)}: {len(wrong)} wrong, such as {worst}"


def _name(indices: Sequence[int]) -> str:
    return "in sequence" if len(indices) > 6 else ",".join(map(str, indices))


def _explained(path: Path, index: int, frame: NDArray[np.uint8], truth: Sequence[str]) -> str:
    """Say which of ffmpeg's frames a wrong one is, or how far it is from the right one."""
    if (total := _sum(frame)) in truth:
        return f"{index} is {truth.index(total)}"
    if len(truth) * frame.size > _MOST_HELD:
        return f"{index} differs"
    frames = np.frombuffer(_pixels(path), np.uint8)
    if frames.size != len(truth) * frame.size:
        return f"{index} has another size, {frame.shape[1]}x{frame.shape[0]}"
    apart = np.abs(frames.reshape(len(truth), -1).astype(np.int16) - frame.reshape(-1))
    nearest = int(apart.mean(axis=1).argmin())
    told = f"by {apart[nearest].max()} at most, {apart[nearest].mean():.2f} in the mean"
    return f"{index} differs {told}" if nearest == index else f"{index} is {nearest}, but {told}"


def _sum(frame: NDArray[np.uint8]) -> str:
    return hashlib.md5(frame.tobytes(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=1)
def _pixels(path: Path) -> bytes:
    return _ffmpeg(path, "-f", "rawvideo")


def made_files(folder: Path) -> Iterator[Path]:
    """Make the files of the tests' matrix."""
    sys.path.insert(0, str(_TESTS))
    from matrix import make  # noqa: PLC0415  not there where only the package is
    from matrix_files import FILES  # noqa: PLC0415
    from matrix_sources import SOURCES  # noqa: PLC0415

    for name, made in FILES.items():
        yield make(folder, name, made, SOURCES)


def compare(paths: Iterator[Path]) -> int:
    """Print a line for each file and reader; return how many lines tell of a difference."""
    wrong = total = 0
    for path, found in run_isolated(look, paths, workers=2, seconds=PATIENCE, preload="zoomvqa.video.reader"):
        rows = [Seen("any", "", (found.reason,))] if isinstance(found, Lost) else found
        for asked, used, troubles, error in rows:
            total, wrong = total + 1, wrong + bool(troubles)
            verdict = "; ".join(troubles) or (f"ok, refused: {error}" if error else "ok")
            print(f"{path.name}\t{asked}\t{used or '-'}\t{verdict}", flush=True)
    print(f"{total} readings, {wrong} differ from ffmpeg")
    return wrong


def main() -> None:
    """Run it."""
    folders = [Path(name) for name in sys.argv[1:]]
    given = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    with tempfile.TemporaryDirectory() as work:
        sys.exit(1 if compare(given if folders else made_files(Path(work))) else 0)


if __name__ == "__main__":
    main()
