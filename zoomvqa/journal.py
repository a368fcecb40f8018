"""Results kept as they come, in a file of SQLite's: work that was stopped goes on where it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from zoomvqa.errors import SettingsError
from zoomvqa.files import remove_database

# The file is locked for as long as it is open, which also spares it the shared memory that network drives lack.
# What was written outlives a process that is killed at any moment; after a power failure the last entries may be
# missing.
_START = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS made (made_from TEXT)",
    "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
)


class Journal:
    """What is known, by key, on disk; see `open_journal` and `read_journal`.

    A key that is not known raises `KeyError`, as in a dictionary.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def write(self, key: str, value: Any) -> None:
        """Add an entry, plain data, that outlives this process from now on; what was written last counts."""
        self._database.execute("INSERT OR REPLACE INTO entries VALUES (?, ?)", (_safe(key), json.dumps(value)))

    def __getitem__(self, key: str) -> Any:
        found = self._database.execute("SELECT value FROM entries WHERE key = ?", (_safe(key),)).fetchone()
        if found is None:
            raise KeyError(key)
        return json.loads(found[0])

    def __contains__(self, key: str) -> bool:
        query = "SELECT 1 FROM entries WHERE key = ?"
        return self._database.execute(query, (_safe(key),)).fetchone() is not None

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM entries").fetchone()[0])

    def take_over(self, other: Path) -> None:
        """Add the entries of another journal that no process has open."""
        with closing(_connect(other)) as database, self._database:
            self._database.execute("BEGIN")
            rows = database.execute("SELECT key, value FROM entries")
            self._database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", rows)


@contextmanager
def open_journal(path: Path, made_from: Any) -> Iterator[Journal]:
    """Open the journal in a file; one that was made from something else, or is none, is begun anew.

    Args:
        path: of the file; its folder is made.
        made_from: plain data that tells what the entries depend on beside their keys.

    Raises:
        SettingsError: another process has it open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    told = json.dumps(made_from, sort_keys=True)
    try:
        database = _connect(path)
        if not _is_made_from(database, told):
            database.close()
            remove_database(path)
            database = _connect(path)
            database.execute("INSERT INTO made VALUES (?)", (told,))
    except sqlite3.OperationalError as error:
        raise SettingsError(f"output: {path} cannot be written ({error}); another run may be at it") from None
    with closing(database):
        yield Journal(database)


@contextmanager
def read_journal(path: Path) -> Iterator[Journal]:
    """Open a journal that several processes read and none writes."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as database:
        yield Journal(database)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=1, isolation_level=None)
    try:
        for statement in _START:
            database.execute(statement)
    except sqlite3.OperationalError:
        database.close()
        raise
    except sqlite3.DatabaseError:  # not one of SQLite's, or damaged
        database.close()
        remove_database(path)
        return _connect(path)
    return database


def _is_made_from(database: sqlite3.Connection, told: str) -> bool:
    return database.execute("SELECT made_from FROM made").fetchall() == [(told,)]


def _safe(key: str) -> str:
    """Return a key that SQLite takes: names of files may hold bytes that are no text."""
    return key.encode("utf-8", "backslashreplace").decode()
