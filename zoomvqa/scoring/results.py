"""The results of a scoring run: kept as they come, found again by the next, written in the order of the inputs."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from zoomvqa.errors import SettingsError
from zoomvqa.files import file_key, remove_database
from zoomvqa.journal import Journal, open_journal, read_journal
from zoomvqa.processes import Share
from zoomvqa.scoring.inputs import Input, Inputs
from zoomvqa.scoring.rows import PART_COLUMNS, columns_of, details_path, part_rows_of, row_of, write_rows
from zoomvqa.scoring.scorer import VideoScore


class Results:
    """What is known of the inputs of a run; see `open_results`.

    Args:
        kept: where results are added.
        before: what earlier runs found, where that is kept elsewhere.
        details: also keep the scores of frames and clips.
    """

    def __init__(self, kept: Journal, before: Journal | None, *, details: bool) -> None:
        self._kept, self._before, self._details = kept, before, details
        self._under_way: dict[str, str] = {}

    def knows(self, item: Input) -> bool:
        """Tell whether there is a result of an input, and its file has not changed since."""
        entry = self._find(item.name)
        return entry is not None and entry["file"] == _file(item)

    def left(self, inputs: Iterable[Input], advance: Callable[[], None]) -> Iterator[tuple[str, str]]:
        """Yield the names and places of the inputs that are not known yet; one that is listed twice comes once.

        Args:
            inputs: of the run, or of this process.
            advance: is called for each that is left out.
        """
        for item in inputs:
            if item.name in self._under_way or self.knows(item):
                advance()
            else:
                self._under_way[item.name] = _file(item)
                yield item.name, item.place

    def add(self, name: str, result: VideoScore) -> None:
        """Keep a result of what `left` yielded; from now on it outlives this process."""
        parts = part_rows_of(name, result) if self._details else []
        file = self._under_way.pop(name)
        self._kept.write(name, {"file": file, "row": row_of(name, result), "parts": parts})

    def entry(self, item: Input) -> dict[str, Any]:
        """Return what is kept of an input: its `row`, and its `parts`.

        Raises:
            SettingsError: nothing is.
        """
        entry = self._find(item.name)
        if entry is None:
            raise SettingsError(f"input: it changed meanwhile: {item.name} is new; the same command goes on")
        return entry

    def __len__(self) -> int:
        return len(self._kept) + (len(self._before) if self._before is not None else 0)

    def _find(self, name: str) -> dict[str, Any] | None:
        for journal in (self._kept, self._before):
            if journal is not None and name in journal:
                return journal[name]
        return None


@contextmanager
def open_results(path: Path, made_from: Any, share: Share, *, details: bool) -> Iterator[Results]:
    """Open what is kept of a run, in one file, or where several processes share it in one file each.

    Args:
        path: of the file; those of several processes have their numbers behind it.
        made_from: plain data that tells what results depend on beside their files; results of another making are
            forgotten.
        share: of this process.
        details: also keep the scores of frames and clips.

    Raises:
        SettingsError: another run is writing there.
    """
    if share.first:
        gather_results(path, made_from)
    share.wait()
    own = path if share.alone else path.with_name(f"{path.name}.{share.number}")
    before = nullcontext(None) if share.alone else read_journal(path)
    with open_journal(own, made_from) as kept, before as known:
        yield Results(kept, known, details=details)
    share.wait()


def gather_results(path: Path, made_from: Any) -> None:
    """Bring what several processes kept together in one file."""
    with open_journal(path, made_from) as whole:
        for part in sorted(path.parent.glob(f"{glob.escape(path.name)}.[0-9]*")):
            if part.suffix[1:].isdigit():
                with open_journal(part, made_from):  # forgets what is of another making
                    pass
                whole.take_over(part)
                remove_database(part)


def write_results(
    inputs: Inputs, results: Results, output: Path, branches: Iterable[str], *, details: bool
) -> Counter[str]:
    """Write a row for each input, in their order, and with `details` one for each part beside it.

    Args:
        inputs: of the run.
        results: of them.
        output: the table.
        branches: whose scores have columns.
        details: also write the parts.

    Returns:
        How many rows have which status.
    """
    counts = Counter[str]()

    def rows() -> Iterator[dict[str, Any]]:
        for item in inputs:
            row = results.entry(item)["row"]
            counts[row["status"]] += 1
            yield row

    write_rows(output, rows(), columns_of(branches))
    if details:
        parts = (part for item in inputs for part in results.entry(item)["parts"])
        write_rows(details_path(output), parts, PART_COLUMNS)
    return counts


def _file(item: Input) -> str:
    """Return what tells a file from itself after it was changed; of an address nothing is known."""
    return item.place if "://" in item.place else file_key(item.place, Path(item.place))
