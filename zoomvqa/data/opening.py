"""Opens every video of a set once, so that what is no video is named before hours are spent."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from zoomvqa.console import progress
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import AnnotationError, VideoError

T = TypeVar("T")


def open_all(videos: Sequence[LabelledVideo], look: Callable[[LabelledVideo], T]) -> list[T]:
    """Return what `look` tells of each video, several at a time, with a progress bar.

    Raises:
        AnnotationError: some videos cannot be read; all of them are listed.
    """

    def tried(video: LabelledVideo) -> T | VideoError:
        try:
            return look(video)
        except VideoError as error:
            return error

    told: list[T] = []
    failures: list[tuple[str, str]] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool, progress() as bar:
        found = zip(videos, pool.map(tried, videos), strict=True)
        for video, result in bar.track(found, total=len(videos), description="Opening videos"):
            if isinstance(result, VideoError):
                failures.append((video.name, str(result)))
            else:
                told.append(result)
    if failures:
        raise AnnotationError(summary_of(failures, len(videos)))
    return told


def summary_of(failures: Sequence[tuple[str, str]], total: int) -> str:
    """Return the message that lists every video that cannot be read."""
    lines = "\n  ".join(f"{name}: {reason}" for name, reason in failures)
    return f"{len(failures)} of {total} videos cannot be read:\n  {lines}"
