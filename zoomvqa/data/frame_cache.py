"""Training frames on disk: one uncompressed array per video, read back by memory map."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.console import progress, say
from zoomvqa.data.frame_source import frame_source
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.opening import summary_of
from zoomvqa.data.views import at_training_resolution
from zoomvqa.errors import AnnotationError, VideoError
from zoomvqa.files import whole_file
from zoomvqa.settings.iqa import FrameSampling
from zoomvqa.video.reader import ReaderName

_FORMAT = 1  # raise it when what is stored changes, so that old entries are not used


def training_frames(
    path: Path, sampling: FrameSampling, resize: int, reader: ReaderName = "auto"
) -> NDArray[np.uint8]:
    """Decode a video once and return its frames at the training resolution, (n, height, width, 3) uint8.

    Raises:
        VideoError: the video cannot be read.
    """
    frames = [at_training_resolution(f, resize) for f in frame_source(path, sampling, reader).frames()]
    if len(shapes := sorted({frame.shape[:2] for frame in frames})) > 1:
        raise VideoError(f"its frames have different shapes: {' and '.join(f'{w}×{h}' for h, w in shapes[:2])}")
    return np.stack(frames)


class FrameCache:
    """Frames of many videos in a folder, one `.npy` file each, written whole or not at all.

    An entry's name holds everything its pixels depend on (the file and its time of change, the sampling, the
    resolution), so that a changed video or setting never finds a stale one.

    Args:
        folder: where entries live; made when first needed.
        limit_bytes: no entry is added that would take the folder over this.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self._limit = limit_bytes

    def entry(self, path: Path, sampling: FrameSampling, resize: int, reader: ReaderName) -> Path:
        """Return the file that holds, or would hold, a video's frames."""
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        state = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        facts = [_FORMAT, str(path.resolve()), state, sampling.model_dump(), resize, reader]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
        return self.folder / digest[:2] / f"{digest}.npy"

    def used_bytes(self) -> int:
        """Return the size of all entries."""
        return sum(f.stat().st_size for f in self.folder.glob("*/*.npy"))

    def add(self, entry: Path, frames: NDArray[np.uint8], used: int) -> bool:
        """Write an entry unless the folder, holding `used` bytes, would go over its limit; tell whether."""
        if used + frames.nbytes > self._limit:
            return False
        with whole_file(entry, "wb") as handle:
            np.save(handle, frames)
        return True

    @staticmethod
    def load(entry: Path) -> NDArray[np.uint8]:
        """Return an entry's frames as a read-only memory map: only the pages that a crop touches are read.

        Raises:
            VideoError: the entry is damaged.
        """
        try:
            return np.load(entry, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise VideoError(f"the cache entry {entry} is damaged ({error}); delete it") from None


def fill_cache(
    cache: FrameCache,
    videos: Sequence[LabelledVideo],
    sampling: FrameSampling,
    resize: int,
    reader: ReaderName,
) -> None:
    """Add the training frames of every video that has no entry yet, several at a time, with a progress bar.

    Raises:
        AnnotationError: some videos cannot be read; all of them are listed, the others are in the cache.
    """
    todo = [(v, e) for v in videos if not (e := cache.entry(v.path, sampling, resize, reader)).is_file()]
    if not todo:
        return
    at_once = os.cpu_count() or 1
    used, failures, full = cache.used_bytes(), [], False
    queue = iter(todo)
    waiting: dict[Future[NDArray[np.uint8]], tuple[LabelledVideo, Path]] = {}
    with ThreadPoolExecutor(max_workers=at_once) as pool, progress() as bar:
        task = bar.add_task("Caching frames", total=len(todo))
        while True:
            # Only a few are under way at a time, so that decoded videos do not pile up in memory.
            for video, entry in islice(queue, 0 if full else 2 * at_once - len(waiting)):
                waiting[pool.submit(training_frames, video.path, sampling, resize, reader)] = (video, entry)
            if not waiting:
                break
            done = next(as_completed(waiting))
            video, entry = waiting.pop(done)
            try:
                frames = done.result()
            except VideoError as error:
                failures.append((video.name, str(error)))
            else:
                full = full or not cache.add(entry, frames, used)
                used += 0 if full else frames.nbytes
            bar.advance(task)
    if failures:
        raise AnnotationError(summary_of(sorted(failures), len(videos)))
    if full:
        missing = sum(not entry.is_file() for _, entry in todo)
        say(f"The frame cache {cache.folder} is full: {missing} videos are decoded again in every epoch.")
