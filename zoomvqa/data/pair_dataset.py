"""Videos for both branches at once: frames and clips out of one decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from zoomvqa.data.batch import PairBatch, VideoPair, labels_of
from zoomvqa.data.clip_order import ClipKey
from zoomvqa.data.clip_source import ClipTaker, refuse_folder
from zoomvqa.data.frame_source import FrameChoice
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.one_pass import one_pass
from zoomvqa.data.substitutes import Substitutes
from zoomvqa.data.views import TestView, TrainView, at_training_resolution
from zoomvqa.data.whole_videos import WholeVideoSet
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.reader import Frame, ReaderName, Video


@dataclass(frozen=True)
class PairSampling:
    """What both branches look at, as their checkpoints have it.

    Attributes:
        frames: which frames the IQA branch looks at.
        frame_view: what it sees of them.
        clips: how clips are laid over a video.
        clip_view: what the VQA branch sees of them.
        reader: the decoder.
    """

    frames: FrameSampling
    frame_view: FrameView
    clips: ClipSampling
    clip_view: ClipView
    reader: ReaderName = "auto"

    def open(self, video: LabelledVideo) -> Video:
        """Open a labelled video.

        Raises:
            VideoError: it is no readable video.
        """
        return open_video(video.path, self.reader)


def open_video(path: Path, reader: ReaderName) -> Video:
    """Open a video file for both branches.

    Raises:
        VideoError: it is no readable video, or a folder of pictures.
    """
    refuse_folder(path)
    return Video(path, reader)


class _ViewTaker:
    """Gathers the IQA branch's views."""

    def __init__(self, wanted: Sequence[int], view: Callable[[Frame], NDArray[np.float32]]) -> None:
        self.wanted, self.views, self._view = wanted, list[NDArray[np.float32]](), view

    def take(self, index: int, frame: Frame) -> None:  # noqa: ARG002  they come in order
        self.views.append(self._view(frame))


class TrainPairs(Dataset[PairBatch]):
    """Random frames and clips of training videos; an index is the list of keys of one batch.

    Args:
        videos: the training videos.
        sampling: what both branches look at.
        frames: random frames a video.
    """

    def __init__(self, videos: Sequence[LabelledVideo], sampling: PairSampling, frames: int) -> None:
        self._substitutes, self._sampling, self._frames = Substitutes(videos), sampling, frames
        self._view = TrainView(sampling.frame_view)

    def __getitem__(self, keys: list[ClipKey]) -> PairBatch:
        read = [self._substitutes.read(key.video, partial(self._pair, key)) for key in keys]
        views, clips = (torch.stack([pair[part] for pair, _ in read]) for part in (0, 1))
        mos, sets = labels_of([video for _, video in read])
        return PairBatch(views, clips, mos, self._substitutes.untold(), sets)

    def _pair(self, key: ClipKey, video: LabelledVideo) -> tuple[Tensor, Tensor]:
        about, draw = self._sampling, np.random.default_rng(key.seed)
        store = about.open(video)
        choice = np.array(FrameChoice(store, about.frames).wanted)
        wanted = np.sort(draw.choice(choice, self._frames, replace=len(choice) < self._frames)).tolist()
        seeds = np.random.default_rng(int(draw.integers(2**63)))

        def random_view(frame: Frame) -> NDArray[np.float32]:
            small = at_training_resolution(frame, about.frame_view.resize)
            return self._view(small, int(seeds.integers(2**63)))

        views = _ViewTaker(wanted, random_view)
        clips = ClipTaker(store.timeline, about.clips, about.clip_view, about.clips.train_clips, draw)
        one_pass(store, [views, clips])
        return torch.from_numpy(np.stack(views.views)), torch.from_numpy(clips.pictures)


class WholePairs(WholeVideoSet[VideoPair]):
    """Every frame and every test clip of a video; an index is a video's number.

    Args:
        videos: the videos of a split.
        sampling: what both branches look at.
    """

    def __init__(self, videos: Sequence[LabelledVideo], sampling: PairSampling) -> None:
        super().__init__(videos)
        self._sampling, self._view = sampling, TestView(sampling.frame_view)

    def read(self, video: LabelledVideo, mos: Tensor, index: Tensor) -> VideoPair:
        """Return the test views and test clips of a video."""
        about = self._sampling
        store = about.open(video)
        views = _ViewTaker(FrameChoice(store, about.frames).wanted, self._view)
        clips = ClipTaker(store.timeline, about.clips, about.clip_view, about.clips.test_clips)
        one_pass(store, [views, clips])
        return VideoPair(torch.from_numpy(np.stack(views.views)), torch.from_numpy(clips.pictures), mos, index)
