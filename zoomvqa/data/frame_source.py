"""The frames of one video at the sampling rate, from the video itself or from a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image, UnidentifiedImageError

from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameSampling
from zoomvqa.video.rate import frames_at_rate
from zoomvqa.video.reader import Frame, ReaderName, Video


class FrameSource(Protocol):
    """Some frames of one video, in order."""

    @property
    def indices(self) -> list[int]:
        """Number of each frame within the video."""
        ...

    @property
    def times(self) -> list[float]:
        """When each frame is shown, seconds from the start."""
        ...

    @property
    def reader(self) -> str:
        """What reads the frames; it may change midway."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield each frame once, (height, width, 3) uint8 RGB; the video is decoded once for all of them."""
        ...


class VideoFrames:
    """Frames of a video file, chosen as `ffmpeg -r` chooses them.

    Raises:
        VideoError: on opening or reading, when the file is not a readable video.
    """

    def __init__(self, path: Path, sampling: FrameSampling, reader: ReaderName = "auto") -> None:
        self._video = Video(path, reader)
        self.indices = frames_at_rate(self._video.timeline, sampling.rate)
        self.times = [self._video.timeline.seconds(i) for i in self.indices]

    @property
    def reader(self) -> str:
        """See `FrameSource`."""
        return self._video.reader

    def frames(self) -> Iterator[Frame]:
        """See `FrameSource`."""
        return self._video.frames(self.indices)


class FolderFrames:
    """Frames of a folder in the release's layout, `000001.png` and on.

    Raises:
        VideoError: there is no picture in the folder, one is missing in the count, or one cannot be read.
    """

    reader = "pillow"

    def __init__(self, folder: Path, sampling: FrameSampling) -> None:
        found = [
            p for p in folder.iterdir() if p.suffix.lower() in {".png", ".jpg"} and not p.name.startswith(".")
        ]
        self._pictures = sorted(found, key=lambda p: (int(p.stem) if p.stem.isdigit() else 0, p.name))
        if not self._pictures:
            raise VideoError(f"there is no .png or .jpg picture in the folder {folder}")
        stems = [p.stem for p in self._pictures]
        if all(stem.isdigit() for stem in stems) and int(stems[-1]) - int(stems[0]) + 1 != len(stems):
            raise VideoError(f"pictures are missing in {folder}: {len(stems)} between {stems[0]} and {stems[-1]}")
        self.indices = list(range(len(stems)))
        self.times = [i / sampling.rate for i in self.indices]

    def frames(self) -> Iterator[Frame]:
        """See `FrameSource`."""
        for path in self._pictures:
            try:
                with Image.open(path) as picture:
                    yield np.asarray(picture.convert("RGB"))
            except (OSError, UnidentifiedImageError) as error:
                raise VideoError(f"{path.name} cannot be read: {error}") from None


def frame_source(path: Path, sampling: FrameSampling, reader: ReaderName = "auto") -> FrameSource:
    """Return the frames of a video file, or of a folder of extracted frames."""
    return FolderFrames(path, sampling) if path.is_dir() else VideoFrames(path, sampling, reader)
