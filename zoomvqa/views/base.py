"""The interfaces of samplings and views, and the two together: what a branch looks at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from zoomvqa.settings.branch import SamplingSettings, ViewSettings
from zoomvqa.settings.registry import SAMPLINGS, VIEWS
from zoomvqa.video.reader import Frame
from zoomvqa.views.decoding import FrameStore

if TYPE_CHECKING:  # processes that decode do without torch
    from torch import Tensor

PartKind = Literal["frame", "clip"]
# From a (height, width, 3) uint8 frame to what a network is shown of it.
Cutter = Callable[[Frame], NDArray[Any]]


@dataclass(frozen=True)
class Span:
    """Where a part, a frame or a clip, lies in its video.

    Attributes:
        first, last: numbers of its first and last frame, from 0; equal for a frame. A clip of a short video goes
            on from its start, so that the last can come before the first.
        start, end: when these frames are shown, seconds from the start of the video.
    """

    first: int
    last: int
    start: float
    end: float


class Sampling(ABC):
    """Which frames of a video are looked at: parts of equally many frames each.

    Attributes:
        part: what a part is called.
        takes_folders: whether a folder of extracted frames can be looked at in place of a video.
        together: parts that a network is shown at a time when it scores, so that memory does not grow with the
            length of a video. A video's parts are never mixed with another's.
    """

    part: ClassVar[PartKind]
    takes_folders: ClassVar[bool] = False
    together: ClassVar[int] = 1

    @property
    @abstractmethod
    def frames_per_part(self) -> int:
        """Frames of a part."""

    @property
    def train_parts(self) -> int | None:
        """Parts of a video that training draws; None leaves it to who asks."""
        return None

    @abstractmethod
    def choose(
        self, store: FrameStore, draw: np.random.Generator | None = None, parts: int | None = None
    ) -> NDArray[np.int64]:
        """Return the frames of each part.

        Args:
            store: the video.
            draw: for training; None is the deterministic choice for testing.
            parts: how many parts are drawn; None is the sampling's own number.

        Returns:
            (parts, frames) int64, numbers of frames within the video; those of a part may go on from the start.
        """

    def seconds(self, store: FrameStore, index: int) -> float:
        """Return when a frame is shown, seconds from the start of the video."""
        return store.timeline.seconds(index)


class View(ABC):
    """Which pixels of a frame a network is shown.

    Attributes:
        gives: what parts look like, for networks to ask: `crops` or `clips`, or a word of one's own.
    """

    gives: ClassVar[str]

    @abstractmethod
    def check(self, height: int, width: int) -> None:
        """Refuse frames of a size that cannot be shown.

        Raises:
            VideoError: they are too narrow.
        """

    @abstractmethod
    def cutter(self, shape: tuple[int, int], draw: np.random.Generator | None = None) -> Cutter:
        """Return what cuts the pixels out of frames.

        Args:
            shape: (height, width) of the first frame.
            draw: for training: where crops lie; it is the same for all frames of a part. None is the
                deterministic choice for testing.
        """

    @abstractmethod
    def to_network(self, parts: Tensor) -> Tensor:
        """Return what the network takes of (n, frames, …) parts, as `cutter` has cut their frames."""

    @abstractmethod
    def example(self, frames: int) -> Tensor:
        """Return what the network takes of one part, of zeros."""

    def generator(self, draw: np.random.Generator) -> np.random.Generator:
        """Return what the cutters of a video are drawn with; by default what its parts were drawn with."""
        return draw


class KeepsFrames(View):
    """A view that can cut random crops out of frames that were kept, so that training decodes a video once."""

    @property
    @abstractmethod
    def kept_depends_on(self) -> Any:
        """What kept frames depend on, beside the file and the sampling; plain data."""

    @abstractmethod
    def kept(self, frame: Frame) -> NDArray[np.uint8]:
        """Return what is kept of a frame, (h, w, 3) uint8.

        Raises:
            VideoError: it is too narrow.
        """

    @abstractmethod
    def random_crop(self, frame: NDArray[np.uint8], seed: int) -> NDArray[Any]:
        """Return what a network is shown of a frame that was kept, as `cutter` does but for its first axis."""


@dataclass(frozen=True)
class Look:
    """What a branch looks at.

    Attributes:
        sampling: which frames.
        view: which pixels of them.
        made_from: the settings of both, plain data: what is cached of a video depends on them.
    """

    sampling: Sampling
    view: View
    made_from: tuple[dict[str, Any], dict[str, Any]] = field(compare=False)

    def example(self) -> Tensor:
        """Return what the network takes of one part, of zeros."""
        return self.view.example(self.sampling.frames_per_part)


# What each branch looks at, by its name.
Looks = Mapping[str, Look]


def look_of(sampling: SamplingSettings, view: ViewSettings) -> Look:
    """Return what settings say that a branch looks at.

    Raises:
        SettingsError: a kind is not registered.
    """
    made_from = (sampling.model_dump(mode="json"), view.model_dump(mode="json"))
    return Look(SAMPLINGS.build(sampling), VIEWS.build(view), made_from)
