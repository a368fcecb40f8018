"""The output of scoring: a row a video, and a row a frame or clip on request."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from zoomvqa.console import say
from zoomvqa.errors import SettingsError
from zoomvqa.scoring.scorer import VideoScore

_COLUMNS = ["video", "score", "status", "error", "iqa", "vqa", "frames", "clips", "seconds", "reader"]
_PART_COLUMNS = ["video", "kind", "part", "first_frame", "last_frame", "start", "end", "score"]


class RowWriter:
    """Writes rows as they come; see `open_rows`."""

    def __init__(self, videos: Any, parts: Any | None) -> None:
        self._videos, self._parts = csv.writer(videos), csv.writer(parts) if parts else None
        self._handles = [h for h in (videos, parts) if h]
        self._videos.writerow(_COLUMNS)
        if self._parts:
            self._parts.writerow(_PART_COLUMNS)

    def write(self, name: str, result: VideoScore) -> None:
        """Add a video's row, and its parts' rows where they are wanted."""
        score, *branches = (
            _told(s) for s in (result.score, result.branches.get("iqa"), result.branches.get("vqa"))
        )
        status = "ok" if result.score is not None else "error"
        error = " ".join(result.error.split())
        counts = [len(result.frames), len(result.clips)]
        self._videos.writerow(
            [name, score, status, error, *branches, *counts, f"{result.seconds:.3f}", result.reader]
        )
        if self._parts:
            for kind, parts in (("frame", result.frames), ("clip", result.clips)):
                for number, part in enumerate(parts):
                    when = [part.first, part.last, f"{part.start:.4f}", f"{part.end:.4f}"]
                    self._parts.writerow([name, kind, number, *when, f"{part.score:.6f}"])
        for handle in self._handles:
            handle.flush()


def _told(score: float | None) -> str:
    return "" if score is None else f"{score:.6f}"


@contextmanager
def open_rows(output: Path, *, details: bool) -> Iterator[RowWriter]:
    """Open the output; rows are on disk as they come and get their final name at the end.

    While scoring goes on they stand in `<output>.part`, and stay there when it is interrupted: an older output is
    replaced by a complete one only.

    Raises:
        SettingsError: `output` cannot be written.
    """
    refuse_output(output)
    targets = [output] + ([details_path(output)] if details else [])
    parts = [target.with_name(target.name + ".part") for target in targets]
    with ExitStack() as stack:
        try:
            handles = [stack.enter_context(p.open("w", encoding="utf-8", newline="")) for p in parts]
        except OSError as error:
            raise SettingsError(f"output: {output} cannot be written ({error.strerror})") from None
        try:
            yield RowWriter(handles[0], handles[1] if details else None)
        except BaseException:
            say(f"What was scored until now is in {parts[0]}")
            raise
    for part, target in zip(parts, targets, strict=True):
        part.replace(target)


def refuse_output(output: Path) -> None:
    """Make the output's folder, and refuse one that cannot be written to.

    Raises:
        SettingsError: the folder cannot be made, or `output` is one.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"output: {output.parent} cannot be made ({error.strerror})") from None
    if output.is_dir():
        raise SettingsError(f"output: {output} is a folder, expected a file such as {output / 'scores.csv'}")


def details_path(output: Path) -> Path:
    """Return where the rows of frames or clips go: `scores.csv` has them in `scores.details.csv`."""
    return output.with_name(f"{output.stem}.details{output.suffix}")
