"""Picture files: a still one is a video of one frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from zoomvqa.errors import VideoError
from zoomvqa.video.timeline import Timeline, steady_timeline

PICTURE_ENDINGS = frozenset(
    {
        ".apng",
        ".avif",
        ".bmp",
        ".gif",
        ".heic",
        ".heif",
        ".jfif",
        ".jpeg",
        ".jpg",
        ".png",
        ".tif",
        ".tiff",
        ".webp",
    }
)
# FFmpeg takes a tile of these for the picture.
_UNREAD = {".heic", ".heif"}
# What Pillow raises for files that are damaged, or that claim to be huge.
_TROUBLES = (OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError, Image.DecompressionBombError)
# ffmpeg gives a picture this rate, too.
_RATE = 25.0
_SWAPPED = {5, 6, 7, 8}  # Exif orientations that exchange width and height
_ORIENTATION = 0x0112


def rgb_picture(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a picture as (height, width, 3) uint8 RGB, upright after its Exif orientation.

    Sixteen bits are brought to eight; transparency is left out, as ffmpeg leaves it out.

    Raises:
        ValueError: its values have no known range.
        OSError: it is damaged; Pillow raises other errors, too.
    """
    if picture.mode == "F" or (picture.mode == "I" and picture.format != "PNG"):
        raise ValueError(f"its pixels are of the kind {picture.mode}, whose range is not known")
    upright = ImageOps.exif_transpose(picture) or picture
    if upright.mode.startswith("I"):  # 16 bits grey: a plain conversion would cut off what is above 255
        grey = np.clip((np.asarray(upright).astype(np.float64) / 257).round(), 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.asarray(upright.convert("RGB"))


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return the (first) picture of a file; see `rgb_picture`.

    Raises:
        VideoError: it cannot be read.
    """
    try:
        with Image.open(path) as picture:
            return rgb_picture(picture)
    except _TROUBLES as error:
        raise VideoError(f"{path.name} cannot be read: {_said(error)}") from None


class StillPicture:
    """A picture file as a video of one frame.

    Attributes:
        timeline: one frame.
        reader: `pillow`.
        note, damage: empty.
    """

    reader = "pillow"
    note = ""
    damage = ""

    def __init__(self, path: Path, timeline: Timeline) -> None:
        self._path, self.timeline = path, timeline

    def frames(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield the picture for each of `indices`, which are all 0.

        Raises:
            VideoError: it cannot be read.
        """
        if any(indices):
            raise ValueError("a picture has no frame but 0")
        picture = read_picture(path=self._path)
        yield from (picture for _ in indices)


class AnimatedWebP:
    """An animated WebP file, which FFmpeg's releases up to 8 do not read.

    Attributes:
        timeline: after the frames' durations.
        reader: `pillow`.
        note, damage: empty.
    """

    reader = "pillow"
    note = ""
    damage = ""

    def __init__(self, path: Path, timeline: Timeline) -> None:
        self._path, self.timeline = path, timeline

    def frames(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames of `indices`, which never decrease.

        Raises:
            VideoError: one does not decode.
        """
        number = 0
        try:
            with Image.open(self._path) as picture:
                for number in indices:
                    picture.seek(number)
                    yield np.asarray(picture.convert("RGB"))
        except _TROUBLES as error:
            raise VideoError(f"frame {number} does not decode: {_said(error)}") from None


def open_picture(path: Path) -> StillPicture | AnimatedWebP | None:
    """Open a picture file; None for what is no picture to Pillow, or a GIF, PNG or AVIF that moves.

    Raises:
        VideoError: it is a picture, but cannot be read, or holds several pages.
    """
    try:
        with Image.open(path) as picture:
            count = getattr(picture, "n_frames", 1)
            kind = (picture.format or "").lower()
            if count > 1 and kind == "webp":
                return AnimatedWebP(path, _webp_timeline(picture, count))
            if count > 1 and kind in {"gif", "png", "avif"}:
                return None
            if count > 1 and kind == "tiff":
                raise VideoError(f"the file holds {count} pages, and one picture is expected")
            width, height = picture.size
            if picture.getexif().get(_ORIENTATION) in _SWAPPED:
                width, height = height, width
            return StillPicture(path, steady_timeline(1, _RATE, width, height, kind))
    except UnidentifiedImageError:
        if path.suffix.lower() in _UNREAD:
            raise VideoError(f"{path.suffix} pictures are not read here; save it as .png or .jpg") from None
        return None
    except _TROUBLES as error:
        raise VideoError(f"not a readable picture: {_said(error)}") from None


def _webp_timeline(picture: Any, count: int) -> Timeline:
    durations = []
    for number in range(count):  # a frame tells how long it stays once it is decoded
        picture.seek(number)
        picture.load()
        durations.append(max(1, int(picture.info.get("duration", 0))))
    width, height = picture.size
    return steady_timeline(count, 1000.0, width, height, "webp").at(np.cumsum([0, *durations[:-1]]), durations)


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
