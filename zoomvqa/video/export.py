"""Frames as pictures on disk, in the release's layout."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from zoomvqa.console import progress
from zoomvqa.errors import UserError, VideoError
from zoomvqa.files import whole_folder
from zoomvqa.video.rate import frames_at_rate
from zoomvqa.video.reader import ReaderName, Video

_NOTE = ".made_from.json"


@dataclass(frozen=True)
class Exported:
    """What became of one video: how many pictures, or why none."""

    video: Path
    pictures: int
    error: str = ""


def export_frames(video: Path, folder: Path, rate: float, reader: ReaderName = "auto") -> int:
    """Write the frames that `ffmpeg -r RATE` would write as `<folder>/000001.png`, …; return how many.

    The folder appears when it is complete, with a note of what it was made from. One with the same note is left
    alone, one made from something else or at another rate is made again.

    Raises:
        VideoError: the video cannot be read, or a folder is in the way that this function did not make.
    """
    opened = Video(video, reader)
    note = {"rate": rate, "size": video.stat().st_size, "changed": video.stat().st_mtime_ns}
    if folder.is_dir():
        old = _note_of(folder)
        if old is None:
            raise VideoError(f"the folder {folder} is in the way: it was not made by this command")
        if old == note:
            return len(list(folder.glob("*.png")))
    indices = frames_at_rate(opened.timeline, rate)
    with whole_folder(folder) as work:
        for number, frame in enumerate(opened.frames(indices), start=1):
            Image.fromarray(frame).save(work / f"{number:06d}.png", compress_level=3)
        (work / _NOTE).write_text(json.dumps(note), encoding="utf-8")
    return len(indices)


def _note_of(folder: Path) -> dict[str, float] | None:
    try:
        return json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def export_all(videos: list[Path], output: Path, rate: float, workers: int, reader: ReaderName) -> list[Exported]:
    """Export many videos at the same time, each into `<output>/<its name without the ending>`.

    Raises:
        UserError: two videos would go to the same folder.
        OSError: `output` cannot be made.
    """
    folders = [output / video.stem for video in videos]
    if clash := sorted({f.name for f in folders if folders.count(f) > 1}):
        raise UserError(f"input: several videos are named {', '.join(clash)} but for their folder or ending")
    output.mkdir(parents=True, exist_ok=True)
    done: dict[Path, Exported] = {}
    with ThreadPoolExecutor(max_workers=workers) as pool, progress() as bar:
        task = bar.add_task("Extracting frames", total=len(videos))
        running = {pool.submit(export_frames, v, f, rate, reader): v for v, f in zip(videos, folders, strict=True)}
        try:
            for future in as_completed(running):
                video = running[future]
                try:
                    done[video] = Exported(video, future.result())
                except VideoError as error:
                    done[video] = Exported(video, 0, str(error))
                bar.advance(task)
        except BaseException:
            for future in running:
                future.cancel()
            raise
    return [done[video] for video in videos]
