"""Which videos show one content, guessed from their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoomvqa.data.annotations import Label
from zoomvqa.data.array_cache import ArrayCache, fill
from zoomvqa.data.contents import is_told
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.prints import groups_alike, video_prints
from zoomvqa.video.reader import ReaderName

# Of all prints together: 192 bytes a video.
_LIMIT_GB = 1.0


def contents_by_picture(labels: Sequence[Label], paths: Sequence[Path], reader: ReaderName) -> list[Label]:
    """Return the labels with contents guessed from pictures, where they have none.

    The first, middle and last frame of a video are compared when small. Prints are kept in the user's cache, so
    that a video is opened once.

    Raises:
        AnnotationError: some videos cannot be read; all of them are listed.
    """
    cache = ArrayCache(None, "prints", _LIMIT_GB)

    def entry_of(video: LabelledVideo) -> Path:
        return cache.entry(video.path, reader)

    def make(video: LabelledVideo) -> NDArray[np.uint8]:
        return video_prints(video.path, reader)

    places = [at for at, label in enumerate(labels) if not is_told(label)]
    videos = [LabelledVideo(labels[at].video, paths[at], labels[at].mos, "", "train") for at in places]
    fill(cache, videos, entry_of, make)
    entries = [entry_of(video) for video in videos]
    prints = [
        ArrayCache.load(entry) if entry.is_file() else make(video)
        for entry, video in zip(entries, videos, strict=True)
    ]
    made = list(labels)
    for at, group in zip(places, groups_alike(prints) if prints else [], strict=True):
        # Named after the first video of the group, marked so that a group of one is not the video's own name.
        made[at] = replace(labels[at], content=f"like {videos[group].name}")
    return made
