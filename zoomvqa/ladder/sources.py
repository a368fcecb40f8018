"""What a ladder is made from: pristine videos, stretches of them, and photographs under a camera path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoomvqa.console import say
from zoomvqa.data.find_files import VIDEO_ENDINGS, left_out
from zoomvqa.errors import UserError
from zoomvqa.ladder.camera_path import CameraPath
from zoomvqa.ladder.rungs import Rung


@dataclass(frozen=True)
class Source:
    """A pristine video, a photograph that a camera moves over, or a stretch of either.

    Attributes:
        content: what it shows; clips of one content never go to both sides of a split.
        path: the file.
        start: where the stretch begins, seconds.
        end: where it ends; None is the video's end.
        split: train, val or test; None leaves it to the shares.
        camera: how a camera moves over the file, which is then a photograph; None for a video.
        rungs: what is made of each clip; None draws it from the ladder.
    """

    content: str
    path: Path
    start: float = 0.0
    end: float | None = None
    split: str | None = None
    camera: CameraPath | None = None
    rungs: tuple[Rung, ...] | None = None


def folder_sources(folder: Path, output: Path) -> list[Source]:
    """Return each video below a folder as a source, its path without the ending as the content.

    Args:
        folder: of the videos.
        output: of the ladder; the clips in it are no sources.

    Raises:
        UserError: the folder is missing or holds no video, or the clips would be written among the videos.
    """
    if not folder.is_dir():
        raise UserError(f"sources: no such folder: {folder}")
    made = (output / "videos").resolve()
    if folder.resolve() == made or made in folder.resolve().parents:
        raise UserError(f"output: clips are written to {output / 'videos'}, where the sources are; give another")
    found = sorted(f for f in folder.rglob("*") if f.suffix.lower() in VIDEO_ENDINGS and f.is_file())
    files = [file for file in found if made not in file.resolve().parents]
    others = left_out(folder, output)
    if not files:
        raise UserError(f"sources: there is no video below {folder}{others and f'; {others}'}")
    if others:
        say(others)
    return [Source(_safe(str(f.relative_to(folder).with_suffix(""))), f) for f in files]


def refuse_clashes(sources: Sequence[Source]) -> None:
    """Refuse two files of one content.

    Raises:
        UserError: there are such.
    """
    files: dict[str, set[Path]] = {}
    for source in sources:
        files.setdefault(source.content, set()).add(source.path)
    clashes = [" and ".join(sorted(p.name for p in paths)) for paths in files.values() if len(paths) > 1]
    if clashes:
        raise UserError(f"sources: clips of these would have the same names: {'; '.join(clashes)}")


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
