"""Results kept as they come, in a file of SQLite's: work that was stopped goes on where it was."""

from __future__ import annotations

import errno
import json
import os
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
# What a database of SQLite's begins with.
_MARK = b"SQLite format 3\0"


class Journal:
    """What is known, by key, on disk; see `open_journal` and `read_journal`.

    A key that is not known raises `KeyError`, as in a dictionary.
    """

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database, self._path = database, path

    def write(self, key: str, value: Any) -> None:
        """Add an entry, plain data, that outlives this process from now on; what was written last counts.

        Raises:
            OSError: it cannot be written, mostly because the disk is full; entries before it are kept.
        """
        with _told(self._path):
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
        """Add the entries of another journal that no process has open.

        Raises:
            OSError: they cannot be written.
        """
        with _told(self._path), closing(_connect(other)) as database, self._database:
            self._database.execute("BEGIN")
            rows = database.execute("SELECT key, value FROM entries")
            self._database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", rows)


@contextmanager
def open_journal(path: Path, made_from: Any) -> Iterator[Journal]:
    """Open the journal in a file; one that was made from something else, or is damaged, is begun anew.

    Args:
        path: of the file; its folder is made.
        made_from: plain data that tells what the entries depend on beside their keys.

    Raises:
        SettingsError: another process has it open, or the file is no journal.
        OSError: there is no room for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _refuse_other_file(path)
    told = json.dumps(made_from, sort_keys=True)
    try:
        database = _connect(path)
        if not _is_made_from(database, told):
            database.close()
            remove_database(path)
            database = _connect(path)
            database.execute("INSERT INTO made VALUES (?)", (told,))
    except sqlite3.OperationalError as error:
        if _is_full(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from None
        raise SettingsError(f"output: {path} cannot be written ({error}); another run may be at it") from None
    with closing(database):
        yield Journal(database, path)


@contextmanager
def read_journal(path: Path) -> Iterator[Journal]:
    """Open a journal that several processes read and none writes."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as database:
        yield Journal(database, path)


def _refuse_other_file(path: Path) -> None:
    """Refuse a file that was not written as a journal; a damaged one still has SQLite's mark, or is empty.

    Raises:
        SettingsError: it is one.
    """
    way = f"output: {path} is in the way, and this command did not write it; move it, or give another output"
    if path.is_dir():
        raise SettingsError(f"output: {path} is a folder, and a file of this name is needed; give another output")
    if not path.is_file() or path.stat().st_size == 0:
        return
    with path.open("rb") as handle:
        start = handle.read(len(_MARK))
    if not _MARK.startswith(start) and start.strip(b"\0"):  # cut short, or lost by a power failure
        raise SettingsError(way)
    try:
        with closing(sqlite3.connect(path, timeout=0)) as database:
            database.execute(_START[0])
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:  # damaged, or another run is at it, which is told later
        return
    if not tables <= {"made", "entries"}:
        raise SettingsError(way)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise what SQLite says of a full disk, or of one that fails, as the system's error with the file's name."""
    try:
        yield
    except sqlite3.OperationalError as error:
        number = errno.ENOSPC if _is_full(error) else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from None


def _is_full(error: sqlite3.Error) -> bool:
    return "disk is full" in str(error)


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
