"""What takes the place of a video that cannot be read any more: training goes on, and it is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import VideoError

T = TypeVar("T")


class Substitutes:
    """Reads videos; where one fails, the next of the set that does not is read instead.

    Every process then has its sample, so that none waits for another.

    Args:
        videos: the training videos.
    """

    def __init__(self, videos: Sequence[LabelledVideo]) -> None:
        self._videos = videos
        self._failed: set[int] = set()
        self._untold: list[str] = []

    def read(self, number: int, read: Callable[[LabelledVideo], T]) -> tuple[T, LabelledVideo]:
        """Return what `read` makes of a video, and which video it is.

        Args:
            number: of the wanted video.
            read: raises a VideoError where a video cannot be read.

        Raises:
            VideoError: no video can be read.
        """
        for step in range(len(self._videos)):
            at = (number + step) % len(self._videos)
            if at in self._failed:
                continue
            try:
                return read(self._videos[at]), self._videos[at]
            except VideoError as error:
                self._failed.add(at)
                self._untold.append(f"{self._videos[at].name}: {error}")
        raise VideoError(f"no training video can be read any more; the last: {self._untold[-1]}")

    def untold(self) -> tuple[str, ...]:
        """Return the failures that were not returned before, each a name and a reason."""
        told, self._untold = tuple(self._untold), []
        return told
