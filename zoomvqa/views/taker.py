"""Gathers the parts of a video that a branch looks at, while the video's frames go by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoomvqa.video.reader import Frame
from zoomvqa.views.base import Cutter, Look, Span
from zoomvqa.views.decoding import FrameStore


class PartTaker:
    """Cuts the parts of a video out of its frames; of each frame only what the network needs is kept.

    Args:
        look: which frames and pixels.
        store: the video.
        draw: for training: which parts, and where crops lie; None is the deterministic choice.
        parts: how many parts are drawn; None is the sampling's own number.
        draws: how often parts are drawn.
        whole: hand out all parts together, by `parts`; otherwise piece by piece, by `ready`, as many as the
            network is shown at a time.

    Attributes:
        indices: (draws · parts, frames) int64, the number of each frame within the video.
        wanted: see `zoomvqa.views.decoding.Taker`.

    Raises:
        VideoError: the video has no frames, or frames of a size that cannot be shown.
    """

    def __init__(
        self,
        look: Look,
        store: FrameStore,
        draw: np.random.Generator | None = None,
        parts: int | None = None,
        draws: int = 1,
        *,
        whole: bool = False,
    ) -> None:
        self._look, self._store = look, store
        self.indices = np.concatenate([look.sampling.choose(store, draw, parts) for _ in range(draws)])
        # Where each frame belongs: parts, and its places in them.
        self._places: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for part, frames in enumerate(self.indices.tolist()):
            for place, index in enumerate(frames):
                self._places[index][part].append(place)
        self.wanted = sorted(self._places)
        self._draw = None if draw is None else look.view.generator(draw)
        self._cutters: list[Cutter] = []
        self._size = len(self.indices) if whole else look.sampling.together
        self._pieces: dict[int, NDArray[Any]] = {}
        starts = range(0, len(self.indices), self._size)
        self._lacking = [self.indices[start : start + self._size].size for start in starts]
        self._next = 0
        # Found now, not after hours of training; a damaged file and a folder may not tell.
        if store.timeline.height and store.timeline.width:
            look.view.check(store.timeline.height, store.timeline.width)

    def take(self, index: int, frame: Frame) -> None:
        """Cut what is needed of a frame.

        Raises:
            VideoError: it cannot be shown, or has another shape than the first where that matters.
        """
        self._cutters = self._cutters or self._plan(frame)
        picture: NDArray[Any] | None = None
        for part, places in self._places[index].items():
            if picture is None or self._draw is not None:
                picture = self._cutters[part if self._draw is not None else 0](frame)
            number, within = divmod(part, self._size)
            self._piece(number, picture)[within, places] = picture
            self._lacking[number] -= len(places)

    def ready(self) -> Iterator[NDArray[Any]]:
        """Yield those pieces that are whole, in their order: (parts, frames, …) each.

        When all frames have gone by, that is all that are left.
        """
        while self._next < len(self._lacking) and not self._lacking[self._next]:
            self._next += 1
            yield self._pieces.pop(self._next - 1)

    def parts(self) -> NDArray[Any]:
        """Return all parts together, when all frames have gone by: (draws · parts, frames, …)."""
        (piece,) = self.ready()
        return piece

    def spans(self) -> list[Span]:
        """Return where the parts lie in the video."""
        seconds = {index: self._look.sampling.seconds(self._store, index) for index in self.wanted}
        ends = ((frames[0], frames[-1]) for frames in self.indices.tolist())
        return [Span(first, last, seconds[first], seconds[last]) for first, last in ends]

    def _piece(self, number: int, picture: NDArray[Any]) -> NDArray[Any]:
        """Return the array of a piece, made when its first picture comes."""
        if number not in self._pieces:
            shape = self.indices[number * self._size : (number + 1) * self._size].shape
            self._pieces[number] = np.empty((*shape, *picture.shape), picture.dtype)
        return self._pieces[number]

    def _plan(self, frame: Frame) -> list[Cutter]:
        """Return what cuts the frames of which part: one for all, or, drawn, one for each."""
        shape = (frame.shape[0], frame.shape[1])
        count = 1 if self._draw is None else len(self.indices)
        return [self._look.view.cutter(shape, self._draw) for _ in range(count)]
