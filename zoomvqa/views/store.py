"""What has frames: a video file, a picture, or a folder of extracted frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from zoomvqa.errors import VideoError
from zoomvqa.video.pictures import PICTURE_ENDINGS, open_picture, read_picture
from zoomvqa.video.reader import Frame, ReaderName, Video
from zoomvqa.video.show import AS_IS, Show
from zoomvqa.video.timeline import steady_timeline
from zoomvqa.views.decoding import FrameStore


class PictureFolder:
    """A folder of extracted frames in the release's layout, `000001.png` and on.

    Raises:
        VideoError: there is no picture in the folder, or one is missing in the count.
    """

    reader = "pillow"
    note = ""
    damage = ""

    def __init__(self, folder: Path) -> None:
        found = [
            p
            for p in folder.iterdir()
            if p.suffix.lower() in {".png", ".jpg"} and not p.name.startswith(".") and p.is_file()  # no pipe
        ]
        self._pictures = sorted(found, key=lambda p: (int(p.stem) if p.stem.isdigit() else 0, p.name))
        if not self._pictures:
            raise VideoError(f"there is no .png or .jpg picture in the folder {folder}")
        stems = [p.stem for p in self._pictures]
        if all(stem.isdigit() for stem in stems) and int(stems[-1]) - int(stems[0]) + 1 != len(stems):
            raise VideoError(f"pictures are missing in {folder}: {len(stems)} between {stems[0]} and {stems[-1]}")
        # When they were shown is not known; the sampling that they were made with tells.
        self.timeline = steady_timeline(len(stems), 1.0, 0, 0, "folder")

    def frames(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield pictures by number.

        Raises:
            VideoError: one cannot be read.
        """
        yield from (read_picture(self._pictures[index]) for index in indices)


def open_store(path: Path, reader: ReaderName = "auto", show: Show = AS_IS) -> FrameStore:
    """Open a video file, a picture, which is a video of one frame, or a folder of extracted frames.

    Args:
        path: of it.
        reader: the decoder of videos.
        show: what is done to the pictures of videos.

    Raises:
        DamagedError: it is a video, but damaged or cut short; `zoomvqa.video.salvage` may read a part of it.
        VideoError: it is not readable.
        ToolError: see `zoomvqa.video.reader.check_reader`.
    """
    if path.is_dir():
        return PictureFolder(path)
    if path.suffix.lower() in PICTURE_ENDINGS and path.is_file() and (picture := open_picture(path)):
        return picture
    return Video(path, reader, show)


def open_for_parts(path: Path, *, folders: bool, reader: ReaderName = "auto", show: Show = AS_IS) -> FrameStore:
    """Do what `open_store` does, and refuse a folder of extracted frames where `folders` is false.

    Raises:
        VideoError: it is not readable, or such a folder.
        ToolError: see `zoomvqa.video.reader.check_reader`.
    """
    if not folders and path.is_dir():
        raise VideoError("a folder of pictures; clips need the video itself")
    return open_store(path, reader, show)
