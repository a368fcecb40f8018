"""Files written whole or not at all, their checksums, and the folder where caches live."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from zoomvqa.errors import ZoomVQAError

# What writing ends in where there is no room: on the disk, for this user, or for a file of such a size.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def no_room(error: BaseException) -> OSError | None:
    """Return the system's error behind an error that came from a full disk, None for any other.

    Libraries raise errors of their own while they handle it: torch's writer a RuntimeError about positions.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _NO_ROOM:
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have an error of a full disk in the block name the file that was being written.

    Raises:
        OSError: there is no room.
    """
    try:
        yield
    except Exception as error:
        full = None if isinstance(error, ZoomVQAError) else no_room(error)
        if full is None or full.filename is not None:
            raise
        raise OSError(full.errno, full.strerror, str(path)) from None


@contextmanager
def whole_file(path: Path, mode: str = "w", newline: str | None = None) -> Iterator[IO]:
    """Open a file that appears under `path` only when the block ends without an error.

    The text goes to a hidden neighbour first and is renamed over `path` at the end, which is atomic on one
    file system; a crash leaves the old file, or none.

    Raises:
        OSError: it cannot be written; where the disk is full, it names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding, errors = (None, None) if "b" in mode else ("utf-8", "backslashreplace")  # names may be any bytes
    handle = tempfile.NamedTemporaryFile(  # noqa: SIM115  it outlives the block, under another name
        mode,
        dir=path.parent,
        prefix=f".{path.name}.",
        delete=False,
        encoding=encoding,
        errors=errors,
        newline=newline,
    )
    try:
        with naming(path), handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        Path(handle.name).chmod(0o644)
        Path(handle.name).replace(path)
    except BaseException:
        Path(handle.name).unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a hidden folder to fill, which becomes `path` only when the block ends without an error.

    A folder already at `path` is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        with naming(path):
            yield work
        work.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        work.replace(path)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def remove_database(path: Path) -> None:
    """Remove a file of SQLite's, and what it keeps beside it; nothing where there is none."""
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)


def file_key(name: str, path: Path) -> str:
    """Return what tells a file from others of its name, and from itself after it was changed."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return f"{name}|"
    return f"{name}|{about.st_size}|{about.st_mtime_ns}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return the folder for everything that can be made again: `ZOOMVQA_CACHE`, else the user's cache."""
    if chosen := os.environ.get("ZOOMVQA_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "zoomvqa"
