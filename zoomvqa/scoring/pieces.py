"""What the networks are shown of a video, a piece at a time. It needs no network: another process can do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zoomvqa.data.clip_source import ClipTaker, refuse_folder
from zoomvqa.data.frame_source import FrameChoice, open_store
from zoomvqa.data.one_pass import FrameStore, passing
from zoomvqa.data.views import TestView
from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.reader import Frame, ReaderName
from zoomvqa.video.salvage import salvage
from zoomvqa.video.show import AS_IS, Show

BranchName = Literal["iqa", "vqa"]


@dataclass(frozen=True)
class Reading:
    """How files are read.

    Attributes:
        reader: the decoder of videos.
        min_share: of a damaged video's frames that must decode: it is then taken for a video of these frames. 1
            takes no damaged video.
        show: what is done to the pictures of videos.
    """

    reader: ReaderName = "auto"
    min_share: float = 1.0
    show: Show = AS_IS


@dataclass(frozen=True)
class Piece:
    """A part of what a branch sees of a video.

    Attributes:
        branch: whose.
        data: iqa: (frames, crops, 3, crop, crop) float32, normalised views of a few frames;
            vqa: (frames, size, size, 3) uint8, one clip.
    """

    branch: BranchName
    data: NDArray[Any]


@dataclass(frozen=True)
class Span:
    """Where a frame or a clip lies in its video.

    Attributes:
        first, last: numbers of its first and last frame, from 0; equal for a frame. A clip of a short video goes
            on from its start, so that the last can come before the first.
        start, end: when these frames are shown, seconds from the start of the video.
    """

    first: int
    last: int
    start: float
    end: float


@dataclass(frozen=True)
class Ending:
    """After a video's pieces.

    Attributes:
        spans: of the frames or clips of each branch, in the order of its pieces.
        reader: which decoder read the video.
        note: what is special about the video's pictures; empty where nothing is.
        damage: how much of a damaged video decodes; empty where all does.
    """

    spans: dict[BranchName, list[Span]]
    reader: str
    note: str = ""
    damage: str = ""


@dataclass(frozen=True)
class Restart:
    """In the middle of a video's pieces: those before it do not count, for the video turned out to be damaged."""


Message = Piece | Restart | Ending


@dataclass(frozen=True)
class FrameLook:
    """How the IQA branch looks at a video.

    Attributes:
        sampling: which frames.
        view: what the network sees of them.
        chunk: frames a piece, so that memory does not grow with a video's length. Scores do not depend on what
            else is scored, for a video's pieces are its own.
    """

    sampling: FrameSampling
    view: FrameView
    chunk: int = 8


@dataclass(frozen=True)
class ClipLook:
    """How the VQA branch looks at a video.

    Attributes:
        sampling: how its test clips are laid over the video.
        view: what the network sees of their frames.
    """

    sampling: ClipSampling
    view: ClipView


Look = FrameLook | ClipLook


def pieces(store: FrameStore, looks: Mapping[BranchName, Look]) -> Iterator[Piece | Ending]:
    """Yield what all branches see of a video, out of one decoding, and an ending.

    Raises:
        VideoError: the video cannot be read, or a branch has no use for it.
    """
    takers = {name: _taker(store, look) for name, look in looks.items()}
    for _ in passing(store, list(takers.values())):
        for name, taker in takers.items():
            yield from (Piece(name, data) for data in taker.ready())
    for name, taker in takers.items():
        yield from (Piece(name, data) for data in taker.rest())
    spans = {name: taker.spans() for name, taker in takers.items()}
    yield Ending(spans, store.reader, store.note, store.damage)


def pieces_of_file(path: Path, looks: Mapping[BranchName, Look], reading: Reading) -> Iterator[Message]:
    """Yield what all branches see of a file or a folder of frames, and an ending.

    Args:
        path: of it.
        looks: of the branches.
        reading: how it is read.

    Raises:
        VideoError: the video cannot be read, or a branch has no use for it.
    """
    if "vqa" in looks:
        refuse_folder(path)
    try:
        yield from pieces(open_store(path, reading.reader, reading.show), looks)
    except DamagedError as damage:
        store = _what_decodes(path, reading, damage)
    else:
        return
    yield Restart()
    yield from pieces(store, looks)


def _what_decodes(path: Path, reading: Reading, damage: DamagedError) -> FrameStore:
    """Return those frames of a file that decode.

    A file may be sound though its packets promised other frames: with a `min_share` of 1 all that is in it must
    decode, and nothing be missing at its end.
    """
    try:
        return salvage(path, reading.min_share, reading.show)
    except VideoError:
        if reading.min_share >= 1:
            raise damage from None
        raise


def _taker(store: FrameStore, look: Look) -> _Frames | _Clips:
    return _Frames(store, look) if isinstance(look, FrameLook) else _Clips(store, look)


class _Frames:
    """Gathers views of frames, a few at a time."""

    def __init__(self, store: FrameStore, look: FrameLook) -> None:
        choice = FrameChoice(store, look.sampling)
        if not choice.wanted:
            raise VideoError("there is no frame in it")
        self.wanted: Sequence[int] = choice.wanted
        self._times, self._chunk, self._view = choice.times, look.chunk, TestView(look.view)
        self._waiting: list[NDArray[np.float32]] = []

    def take(self, index: int, frame: Frame) -> None:  # noqa: ARG002  they come in order
        self._waiting.append(self._view(frame))

    def ready(self) -> Iterator[NDArray[Any]]:
        while len(self._waiting) >= self._chunk:
            now, self._waiting = self._waiting[: self._chunk], self._waiting[self._chunk :]
            yield np.stack(now)

    def rest(self) -> Iterator[NDArray[Any]]:
        yield from self.ready()
        if self._waiting:
            yield np.stack(self._waiting)

    def spans(self) -> list[Span]:
        return [Span(index, index, time, time) for index, time in zip(self.wanted, self._times, strict=True)]


class _Clips(ClipTaker):
    """Gathers clips, which are whole when the video is over."""

    def __init__(self, store: FrameStore, look: ClipLook) -> None:
        super().__init__(store.timeline, look.sampling, look.view, look.sampling.test_clips)

    def ready(self) -> Iterator[NDArray[Any]]:
        return iter(())

    def rest(self) -> Iterator[NDArray[Any]]:
        return iter(np.asarray(self.pictures))

    def spans(self) -> list[Span]:
        pairs = zip(self.indices.tolist(), self.times().tolist(), strict=True)
        return [Span(frames[0], frames[-1], times[0], times[-1]) for frames, times in pairs]
