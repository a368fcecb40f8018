"""Pristine video from a photograph: a window moves over it, in a way that is known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from zoomvqa.errors import VideoError
from zoomvqa.ladder.encode import keep_frames

# A photograph that is sampled more densely than its pixels lie has no detail to lose.
_DENSEST = 0.999


@dataclass(frozen=True)
class CameraPath:
    """How a window moves over a photograph: in a straight line at constant speed, growing or shrinking evenly.

    Attributes:
        size: width and height of the video, even numbers of pixels.
        start: the window's centre in the first frame, as shares of the photograph's width and height.
        end: the centre in the last frame.
        scale: pixels of the photograph to one of the first frame, at least 1; what is above 1 hides traces of
            the photograph's own compression.
        zoom: how many times as large things are in the last frame as in the first.
        seconds: length of the video.
        fps: frames a second.
    """

    size: tuple[int, int]
    start: tuple[float, float]
    end: tuple[float, float]
    scale: float = 1.0
    zoom: float = 1.0
    seconds: float = 4.0
    fps: int = 25

    @property
    def frames(self) -> int:
        """The number of frames."""
        return round(self.seconds * self.fps)

    def window(self, frame: int, photo: tuple[int, int]) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of a frame's window, in pixels of a photograph of that size."""
        share = frame / max(1, self.frames - 1)
        scale = self.scale * self.zoom**-share
        x, y = ((a + (b - a) * share) * side for a, b, side in zip(self.start, self.end, photo, strict=True))
        width, height = (side * scale / 2 for side in self.size)
        return x - width, y - height, x + width, y + height

    def check(self, photo: Path) -> None:
        """Make sure that the path can be filmed.

        Raises:
            VideoError: the photograph cannot be read, or a window leaves it or is sampled more densely than it.
        """
        width, height = _open(photo).size
        if min(self.scale, self.scale / self.zoom) < _DENSEST:
            raise VideoError(f"the camera's scale falls to {self.scale / self.zoom:.2f}, at least 1 is needed")
        # The centre moves evenly and the sides grow or shrink convexly: they are outermost at one of both ends.
        for frame in (0, self.frames - 1):
            left, top, right, bottom = self.window(frame, (width, height))
            if min(left, top) < 0 or right > width or bottom > height:
                raise VideoError(
                    f"the camera's window {left:.0f}..{right:.0f} × {top:.0f}..{bottom:.0f} of frame {frame} "
                    f"leaves the photograph of {width} × {height}"
                )


def film(photo: Path, path: CameraPath, start: float, seconds: float, output: Path) -> None:
    """Write a stretch of a path over a photograph as video without loss (FFVHUFF in Matroska, YUV 4:2:0).

    Args:
        photo: a picture that Pillow reads.
        path: of the camera.
        start: of the stretch, seconds.
        seconds: length of the stretch.
        output: the file.

    Raises:
        VideoError: the photograph cannot be read.
    """
    first = round(start * path.fps)
    last = min(path.frames, first + round(seconds * path.fps))
    keep_frames((f.tobytes() for f in draw(photo, path, range(first, last))), path.size, path.fps, output)


def draw(photo: Path, path: CameraPath, frames: range) -> Iterator[Image.Image]:
    """Yield frames of a path as RGB pictures.

    Each is one resampling of the photograph by a Lanczos filter of three lobes, as wide as the scale asks for, at
    exact places: detail that the frame cannot hold is left out, and nothing moves in steps of pixels.

    Raises:
        VideoError: the photograph cannot be read.
    """
    with _open(photo) as opened:
        try:
            picture = opened.convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            raise VideoError(f"not a whole picture ({error})") from None
    for frame in frames:
        box = path.window(frame, picture.size)
        yield picture.resize(path.size, Image.Resampling.LANCZOS, box=box)


def _open(photo: Path) -> Image.Image:
    try:
        return Image.open(photo)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VideoError(f"not a picture ({error})") from None
