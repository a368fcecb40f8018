"""What a container's header says of a video track."""

from __future__ import annotations

from typing import NamedTuple


class Crop(NamedTuple):
    """Rows and columns at the edges of the coded picture that are not shown."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def within(self, width: int, height: int) -> Crop:
        """Return the same where it leaves something of a picture, else none."""
        leaves = self.left + self.right < width and self.top + self.bottom < height
        return self if min(self) >= 0 and leaves else NO_CROP


NO_CROP = Crop()
# A header is small; what claims more bytes is damaged, and is not read.
MOST_BYTES = 64_000_000


class TrackHeader(NamedTuple):
    """What a container's header says of one video track.

    Attributes:
        crop: clean aperture (`clap`) of MP4, PixelCrop of Matroska.
        descriptions: how many sample descriptions it has; of several, pictures may differ in size.
        encrypted: whether its frames are encrypted.
        seconds: how long the header says the whole file is; 0 where it does not say, and in MP4.
    """

    crop: Crop = NO_CROP
    descriptions: int = 1
    encrypted: bool = False
    seconds: float = 0.0
