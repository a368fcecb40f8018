"""What was decoded, on disk: one uncompressed array per video, read back by memory map."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoomvqa.console import progress, say
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.opening import summary_of
from zoomvqa.errors import AnnotationError, VideoError
from zoomvqa.files import cache_folder, whole_file

_FORMAT = 2  # raise it when what is stored changes, so that old entries are not used


class ArrayCache:
    """Arrays of many videos in a folder, one `.npy` file each, written whole or not at all.

    An entry's name holds everything its pixels depend on (the file and its time of change, and what the caller
    adds), so that a changed video or setting never finds a stale one.

    Args:
        folder: where entries live, made when first needed; None is `name` in the user's cache folder.
        name: of the kind of arrays.
        limit_gb: no entry is added that would take the folder over this.
    """

    def __init__(self, folder: str | None, name: str, limit_gb: float) -> None:
        self.folder = Path(folder).expanduser() if folder else cache_folder() / name
        self._name, self._limit = name, int(limit_gb * 1e9)

    def entry(self, path: Path, *facts: Any) -> Path:
        """Return the file that holds, or would hold, the array of a video that was made by `facts`."""
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        state = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        text = json.dumps([_FORMAT, self._name, str(path.resolve()), state, *facts])
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        return self.folder / digest[:2] / f"{digest}.npy"

    def used_bytes(self) -> int:
        """Return the size of all entries."""
        return sum(f.stat().st_size for f in self.folder.glob("*/*.npy"))

    def add(self, entry: Path, array: NDArray[Any], used: int) -> bool:
        """Write an entry unless the folder, holding `used` bytes, would go over its limit; tell whether."""
        if used + array.nbytes > self._limit:
            return False
        with whole_file(entry, "wb") as handle:
            np.save(handle, array)
        return True

    @staticmethod
    def load(entry: Path) -> NDArray[Any]:
        """Return an entry as a read-only memory map: only the pages that are looked at are read.

        Raises:
            VideoError: the entry is damaged.
        """
        try:
            return np.load(entry, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise VideoError(f"the cache entry {entry} is damaged ({error}); delete it") from None


def fill(
    cache: ArrayCache,
    videos: Sequence[LabelledVideo],
    entry_of: Callable[[LabelledVideo], Path],
    make: Callable[[LabelledVideo], NDArray[Any]],
    told: str = "Caching frames",
) -> None:
    """Add the array of every video that has no entry yet, several at a time, with a progress bar.

    Args:
        cache: where to.
        videos: the videos.
        entry_of: a video's entry.
        make: makes a video's array.
        told: what is done, for the progress bar.

    Raises:
        AnnotationError: some videos cannot be read; all of them are listed, the others are in the cache.
    """
    todo = [(v, e) for v in videos if not (e := entry_of(v)).is_file()]
    if not todo:
        return
    at_once = os.cpu_count() or 1
    used, failures, full = cache.used_bytes(), [], False
    queue = iter(todo)
    waiting: dict[Future[NDArray[Any]], tuple[LabelledVideo, Path]] = {}
    with ThreadPoolExecutor(max_workers=at_once) as pool, progress() as bar:
        task = bar.add_task(told, total=len(todo))
        while True:
            # Only a few are under way at a time, so that decoded videos do not pile up in memory.
            for video, entry in islice(queue, 0 if full else 2 * at_once - len(waiting)):
                waiting[pool.submit(make, video)] = (video, entry)
            if not waiting:
                break
            done = next(as_completed(waiting))
            video, entry = waiting.pop(done)
            try:
                array = done.result()
            except VideoError as error:
                failures.append((video.name, str(error)))
            else:
                full = full or not cache.add(entry, array, used)
                used += 0 if full else array.nbytes
            bar.advance(task)
    if failures:
        raise AnnotationError(summary_of(sorted(failures), len(videos)))
    if full:
        missing = sum(not entry.is_file() for _, entry in todo)
        say(f"The cache {cache.folder} is full: {missing} videos are decoded again in every epoch.")
