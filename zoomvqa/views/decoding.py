"""One decoding of a video for everyone who looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from zoomvqa.video.reader import Frame
from zoomvqa.video.timeline import Timeline


class FrameStore(Protocol):
    """Something that has frames: a video file, a folder of pictures, an array."""

    @property
    def timeline(self) -> Timeline:
        """When each frame is shown."""
        ...

    @property
    def reader(self) -> str:
        """What reads the frames; it may change midway."""
        ...

    @property
    def note(self) -> str:
        """What is special about these frames, such as HDR, and what was done about it; usually empty."""
        ...

    @property
    def damage(self) -> str:
        """How much of a damaged file decodes; usually empty."""
        ...

    def frames(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames of `indices`, which never decrease, each (height, width, 3) uint8 RGB."""
        ...


class Taker(Protocol):
    """Takes some frames of a video as they go by."""

    @property
    def wanted(self) -> Sequence[int]:
        """Numbers of the frames, rising."""
        ...

    def take(self, index: int, frame: Frame) -> None:
        """Take a frame: called once for each number of `wanted`, in order."""
        ...


def one_pass(store: FrameStore, takers: Sequence[Taker]) -> None:
    """Decode each frame that anyone wants once, in order, and hand it to those who want it.

    Raises:
        VideoError: a frame cannot be decoded, or a taker cannot use it.
    """
    for _ in passing(store, takers):
        pass


def passing(store: FrameStore, takers: Sequence[Taker]) -> Iterator[int]:
    """Do what `one_pass` does, and yield the number of each frame that was handed out."""
    wanted = [frozenset(taker.wanted) for taker in takers]
    needed = sorted(frozenset[int]().union(*wanted))
    for index, frame in zip(needed, store.frames(needed), strict=True):
        for taker, own in zip(takers, wanted, strict=True):
            if index in own:
                taker.take(index, frame)
        yield index
