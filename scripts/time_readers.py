"""Time reading all frames of all videos below a folder: python scripts/time_readers.py FOLDER [rounds].

Prints the CPU seconds that reader=auto and reader=pyav take, in turn, and their ratio. Files that cannot be read
are passed over.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from zoomvqa.data.find_files import VIDEO_ENDINGS
from zoomvqa.errors import VideoError
from zoomvqa.video import counting, read_timeline
from zoomvqa.video.reader import ReaderName, Video


def cpu_seconds(paths: Sequence[Path], reader: ReaderName) -> float:
    """Return the CPU seconds of this process that reading all frames takes; nothing is remembered from before."""
    counting._first_of_plain.cache_clear()
    read_timeline._counted_times.cache_clear()
    begin = time.process_time()
    for path in paths:
        try:
            video = Video(path, reader)
            for _ in video.frames(range(len(video))):
                pass
        except VideoError:
            continue
    return time.process_time() - begin


def main() -> None:
    """Run it and print a line for each round."""
    paths = [path for path in sorted(Path(sys.argv[1]).rglob("*")) if path.suffix.lower() in VIDEO_ENDINGS]
    cpu_seconds(paths[:1], "auto")  # libraries are loaded
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        auto, pyav = cpu_seconds(paths, "auto"), cpu_seconds(paths, "pyav")
        print(f"{len(paths)} files: auto {auto:.2f} s, pyav {pyav:.2f} s, ratio {auto / pyav:.2f}")


if __name__ == "__main__":
    main()
