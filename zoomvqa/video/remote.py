"""Videos in object stores and on servers: fetched through fsspec into a temporary file, one at a time."""

from __future__ import annotations

import errno
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import fsspec
from fsspec.callbacks import Callback
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import available_protocols

from zoomvqa.errors import VideoError, nearest
from zoomvqa.video.address import scheme_of
from zoomvqa.video.alive import beat

_ENDING = re.compile(r"\.[a-z0-9]{1,8}", re.IGNORECASE)
# Answers that another attempt does not change.
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotImplementedError)
_FULL = {errno.ENOSPC, errno.EDQUOT}
_ATTEMPTS = 3


@contextmanager
def local_copy(location: str, *, stall_s: float = 60.0, pause_s: float = 1.0) -> Iterator[Path]:
    """Fetch what an address names; the copy, with the address's ending, is there for as long as the block runs.

    A file of this machine (`file://`) is not copied. Messages have no part of the address: there may be a
    password in it.

    Args:
        location: an address of any kind that fsspec knows; its credentials come from where its package looks.
        stall_s: seconds without a byte after which an attempt is given up.
        pause_s: before another attempt, doubled each time; there are three.

    Raises:
        VideoError: there is no such file, it may not be read, a package is missing, or it did not come whole.
    """
    system, name = _opened(location, stall_s)
    if isinstance(system, LocalFileSystem):
        if not Path(name).exists():
            raise VideoError("it could not be fetched: there is no such file")
        yield Path(name)
        return
    with tempfile.TemporaryDirectory(prefix="zoomvqa-", ignore_cleanup_errors=True) as folder:
        ending = Path(location.partition("::")[0].partition("?")[0]).suffix
        target = Path(folder) / f"video{ending.lower() if _ENDING.fullmatch(ending) else ''}"
        for attempt in range(_ATTEMPTS):
            problem = _attempt(system, name, target, stall_s)
            if problem is None:
                break
            if attempt == _ATTEMPTS - 1 or _is_final(problem):
                raise VideoError(f"it could not be fetched: {_reason(problem)}")
            time.sleep(pause_s * 2**attempt)
        if target.is_dir():
            raise VideoError("it could not be fetched: the address is a folder")
        yield target


def _opened(location: str, stall_s: float) -> tuple[Any, str]:
    """Return what reads an address, and its name there."""
    scheme, known = scheme_of(location), available_protocols()
    if scheme not in known:
        raise VideoError(f"no address that can be fetched: {scheme}:// is not known{nearest(scheme, known)}")
    options = {}
    if scheme in {"http", "https"}:
        # Its own limit is five minutes in all, however much comes.
        options["client_kwargs"] = {"timeout": aiohttp.ClientTimeout(total=None, sock_connect=stall_s)}
    try:
        system, name = fsspec.core.url_to_fs(location, **options)
    except ImportError as error:
        raise VideoError(f"{scheme}:// needs a package that is not here ({error})") from None
    except Exception as error:  # noqa: BLE001  each kind of store has errors of its own
        raise VideoError(f"{scheme}:// cannot be fetched: {_reason(error)}") from None
    return system, name


class _Progress(Callback):
    """How much came, and when the last of it did. Once it is given up, it ends the copying at the next block."""

    def __init__(self) -> None:
        super().__init__()
        self.moved, self.given_up = time.monotonic(), False

    def call(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  fsspec's
        self.moved = time.monotonic()
        if self.given_up:
            raise TimeoutError


class _Incomplete(Exception):  # noqa: N818  no error of a program
    """Less came than there is."""


def _attempt(system: Any, name: str, target: Path, stall_s: float) -> Exception | None:
    """Copy a file, and return what went wrong.

    In a thread of its own: not every store's package gives up when nothing comes, and none can be told to.
    """
    progress, problems = _Progress(), list[Exception]()

    def copy() -> None:
        try:
            system.get_file(name, str(target), callback=progress)
            if progress.size is not None and target.is_file() and target.stat().st_size < progress.size:
                problems.append(_Incomplete())
        except Exception as error:  # noqa: BLE001  each kind of store has errors of its own
            problems.append(error)

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    while thread.is_alive():
        left = progress.moved + stall_s - time.monotonic()
        if left <= 0:
            progress.given_up = True
            return TimeoutError(f"nothing came for {stall_s:g} seconds")
        beat()
        thread.join(min(left, 1.0))
    return problems[0] if problems else None


def _status(error: Exception) -> int | None:
    """Return the HTTP status in an error of a client, where there is one."""
    status = getattr(error, "status", None)
    return status if isinstance(status, int) else None


def _is_final(error: Exception) -> bool:
    status = _status(error)
    refused = status is not None and 400 <= status < 500 and status not in {408, 429}
    return refused or isinstance(error, _FINAL) or (isinstance(error, OSError) and error.errno in _FULL)


def _reason(error: Exception) -> str:
    """Return why a file did not come, without the error's own text: addresses in it may have passwords."""
    if (status := _status(error)) is not None:
        return f"the server answers {status}"
    if isinstance(error, OSError) and error.errno in _FULL:
        return "there is no space for the copy"
    kinds: dict[type[Exception], str] = {
        FileNotFoundError: "there is no such file",
        PermissionError: "it may not be read with these credentials",
        IsADirectoryError: "the address is a folder",
        _Incomplete: "the transfer ended early",
        aiohttp.ClientPayloadError: "the transfer ended early",
        aiohttp.ClientConnectionError: "the server cannot be reached, or hung up",
    }
    told = next((text for kind, text in kinds.items() if isinstance(error, kind)), None)
    if told is None and type(error) is TimeoutError and error.args:
        return str(error)  # our own
    return told or type(error).__name__
