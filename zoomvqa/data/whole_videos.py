"""Whole videos, as branches look at them when they are validated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from zoomvqa.data.batch import UnreadVideo, VideoBatch
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import VideoError
from zoomvqa.video.reader import ReaderName
from zoomvqa.views import PartTaker
from zoomvqa.views.base import Looks
from zoomvqa.views.decoding import FrameStore, one_pass
from zoomvqa.views.store import open_for_parts


def open_video(path: Path, looks: Looks, reader: ReaderName = "auto") -> FrameStore:
    """Open a video that all branches can look at.

    Raises:
        VideoError: it is not readable, or a folder of frames where a branch needs the video.
    """
    return open_for_parts(path, folders=all(look.sampling.takes_folders for look in looks.values()), reader=reader)


def check_video(path: Path, looks: Looks, reader: ReaderName = "auto") -> int:
    """Open a video, and return how many parts the first branch looks at; nothing is decoded.

    Raises:
        VideoError: a branch cannot look at it.
    """
    store = open_video(path, looks, reader)
    counts = [len(PartTaker(look, store).indices) for look in looks.values()]
    return counts[0]


class WholeVideos(Dataset["VideoBatch | UnreadVideo"]):
    """All parts of a video that branches look at, out of one decoding; an index is a video's number.

    One that cannot be read any more says so in its place.

    Args:
        videos: of a split.
        looks: of the branches.
        reader: the decoder.
    """

    def __init__(self, videos: Sequence[LabelledVideo], looks: Looks, reader: ReaderName = "auto") -> None:
        self._videos, self._looks, self._reader = videos, looks, reader

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, index: int) -> VideoBatch | UnreadVideo:
        video = self._videos[index]
        mos, number = torch.tensor(video.mos, dtype=torch.float32), torch.tensor(index)
        try:
            store = open_video(video.path, self._looks, self._reader)
            takers = {name: PartTaker(look, store, whole=True) for name, look in self._looks.items()}
            one_pass(store, list(takers.values()))
        except VideoError as error:
            return UnreadVideo(mos, number, (f"{video.name}: {error}",))
        inputs = {name: torch.from_numpy(taker.parts()) for name, taker in takers.items()}
        return VideoBatch(inputs, mos, number)
