"""Results kept as they come, a line each: work that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class Journal:
    """What is known, and what writes down more; see `open_journal`.

    Attributes:
        known: plain data by key; what was written last counts.
    """

    def __init__(self, handle: IO[str], known: dict[str, Any]) -> None:
        self._handle, self.known = handle, known

    def write(self, key: str, value: Any) -> None:
        """Add an entry, plain data, on disk before this returns."""
        self._handle.write(json.dumps({"key": key, "value": value}) + "\n")
        self._handle.flush()
        self.known[key] = value


@contextmanager
def open_journal(path: Path, made_from: Any) -> Iterator[Journal]:
    """Open the journal in a file; one that was made from something else is begun anew.

    A process that is killed leaves all lines but the one it was writing, which is left out.

    Args:
        path: of the file; its folder is made.
        made_from: plain data that tells what the entries depend on beside their keys.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _read(path, made_from)
    with path.open("a", encoding="utf-8") as handle:
        if known is None:
            handle.truncate(0)
            handle.write(json.dumps({"made_from": made_from}))
        handle.write("\n")  # also ends a line that was cut off
        handle.flush()
        yield Journal(handle, known or {})


def _read(path: Path, made_from: Any) -> dict[str, Any] | None:
    """Return the entries of a file, None where it is no journal of the same making."""
    known: dict[str, Any] = {}
    try:
        with path.open(encoding="utf-8") as handle:
            if _entry(handle.readline()).get("made_from", "") != json.loads(json.dumps(made_from)):
                return None
            for entry in map(_entry, handle):
                if "key" in entry:
                    known[entry["key"]] = entry["value"]
    except (OSError, UnicodeDecodeError):
        return None
    return known


def _entry(line: str) -> dict[str, Any]:
    """Return what a line says; nothing where it was cut off."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and ("made_from" in found or {"key", "value"} <= found.keys()) else {}
