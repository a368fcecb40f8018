"""Downloads one file over HTTP: resumed when cut, given up when it stalls, whole or not at all.

`pooch` and `torch.hub` start again from nothing when a connection breaks, which weights of 100 MB on a bad line do
not survive; what resumes is tied to one hub. Hence this file.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import Progress, TaskID

from zoomvqa.console import byte_progress
from zoomvqa.errors import CheckpointError, ToolError
from zoomvqa.files import no_room, sha256_of, whole_file

_BLOCK = 2**18
# What a server says when it has no time just now.
_PASSING = {408, 429}
# Attempts that bring nothing new before giving up.
_ATTEMPTS = 4


class _Cut(Exception):  # noqa: N818  no error: the next attempt goes on
    """The connection ended before the file did."""


def download(
    address: str,
    target: Path,
    *,
    sha256: str | None = None,
    look: Callable[[Path], Any] | None = None,
    stall_s: float = 20.0,
    pause_s: float = 1.0,
) -> None:
    """Download a file; what an earlier attempt left in `<target>.part` is gone on with.

    Args:
        address: http or https.
        target: appears when the file is whole and right, after `<target>.sha256` with its checksum.
        sha256: what it must be.
        look: raises a CheckpointError when the file is not what it should be.
        stall_s: seconds without a byte after which a connection is given up.
        pause_s: before another attempt, doubled each time.

    Raises:
        ToolError: the server cannot be reached, refuses, sends something else, or stops halfway too often.
        OSError: the disk is full.
    """
    part = target.with_name(target.name + ".part")
    idle = most = 0
    with byte_progress() as bar:
        task = bar.add_task(target.name, total=None)
        while True:
            try:
                _attempt(address, part, stall_s, bar, task)
                break
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code not in _PASSING:
                    raise ToolError(f"{address} cannot be had (HTTP {error.code})") from None
                reason = f"HTTP {error.code}"
            except (_Cut, OSError, http.client.HTTPException, ValueError) as error:
                if full := no_room(error):  # another attempt would end in the same
                    raise OSError(full.errno, full.strerror, str(part)) from None
                reason = _reason(error)
            idle = 0 if _size(part) > most else idle + 1
            most = max(most, _size(part))
            if idle >= _ATTEMPTS:
                kept = f"; {_size(part)} bytes are kept for the next try" if _size(part) else ""
                raise ToolError(f"{address} could not be downloaded ({reason}{kept})")
            time.sleep(pause_s * 2 ** max(0, idle - 1))
    _accept(address, part, target, sha256, look)


def _attempt(address: str, part: Path, stall_s: float, bar: Progress, task: TaskID) -> None:
    """Add to the part what is still missing of the file."""
    note = _note(part)
    # Without a mark that tells one file from another of the same length, what is there may be of another.
    known = note.get("address") == address and note.get("total") and note.get("tag")
    have = _size(part) if known else 0
    if have and have == note.get("total"):  # all of it came, and then something else went wrong
        return
    headers = {"User-Agent": "zoomvqa", "Accept-Encoding": "identity"}
    if have:
        # The server starts from the beginning if the file is another one by now.
        headers |= {"Range": f"bytes={have}-", "If-Range": note["tag"]}
    if not address.startswith(("http://", "https://")):
        raise ToolError(f"{address} is no http address")
    request = urllib.request.Request(address, headers=headers)  # noqa: S310  checked above
    try:
        response = urllib.request.urlopen(request, timeout=stall_s)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # what is there is no beginning of that file
            _forget(part)
            raise _Cut("what was there did not fit the file") from None
        raise
    with response:
        _refuse_page(address, response)
        start, total = _extent(response, have, part)
        if start and total != note.get("total"):
            _forget(part)
            raise _Cut("the file has changed")
        _write_note(part, {"address": address, "total": total, "tag": _tag(response)})
        bar.update(task, total=total, completed=start)
        with part.open("r+b" if start else "wb") as handle:
            handle.seek(start)
            while block := response.read1(_BLOCK):  # what has come, so that a stall loses nothing
                handle.write(block)
                bar.advance(task, len(block))
    if total is not None and _size(part) < total:
        raise _Cut(f"the connection ended after {_size(part)} of {total} bytes")


def _extent(response: http.client.HTTPResponse, have: int, part: Path) -> tuple[int, int | None]:
    """Return where the answer starts within the file, and the file's size where it is told."""
    if response.status == 206:
        span, _, size = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        if span.partition("-")[0] != str(have) or not size.isdigit():
            _forget(part)
            raise _Cut("the server sent another part than was asked for")
        return have, int(size)
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _refuse_page(address: str, response: http.client.HTTPResponse) -> None:
    kind = response.headers.get_content_type()
    if kind in {"text/html", "application/xhtml+xml"}:
        raise ToolError(f"{address} gives a web page, not the file (a login or an error page?)")


def _accept(
    address: str, part: Path, target: Path, sha256: str | None, look: Callable[[Path], Any] | None
) -> None:
    """Check the whole file and give it its name; a wrong one is removed."""
    if sha256 is not None and sha256_of(part) != sha256:
        _forget(part)
        raise ToolError(f"{address} gives another file than it should (its checksum differs)")
    try:
        if look is not None:
            look(part)
    except CheckpointError as error:
        _forget(part)
        raise ToolError(f"{address} gives something else than it should: {error}") from None
    with whole_file(record_of(target)) as handle:  # first, so that no file is without one
        handle.write(f"{sha256_of(part)}  {target.name}\n")
    part.replace(target)
    _note_path(part).unlink(missing_ok=True)


def record_of(target: Path) -> Path:
    """Return the file that holds the checksum of a download."""
    return target.with_name(target.name + ".sha256")


def _tag(response: http.client.HTTPResponse) -> str | None:
    """Return what tells this file from another under the same address; a weak tag says nothing of bytes."""
    tag = response.headers.get("ETag", "")
    return response.headers.get("Last-Modified") if not tag or tag.startswith("W/") else tag


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the server stopped sending"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection ended before the file did"
    inner = getattr(error, "reason", None)
    return str(inner or error) or type(error).__name__


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _note(part: Path) -> dict[str, Any]:
    """Return what is known of the file that a part is of."""
    try:
        found = json.loads(_note_path(part).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_note(part: Path, note: dict[str, Any]) -> None:
    _note_path(part).write_text(json.dumps(note))


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note_path(part).unlink(missing_ok=True)


def quiet_hub() -> None:
    """Keep what Hugging Face's client says of each attempt from the terminal: an error has the reason in one line.

    Whoever sets `HF_HUB_VERBOSITY` hears it all.
    """
    if "HF_HUB_VERBOSITY" in os.environ:
        return
    os.environ["HF_HUB_VERBOSITY"] = "error"  # read when it is imported, here and in processes that we start
    for name in ("huggingface_hub", "timm.models"):
        logging.getLogger(name).setLevel(logging.ERROR)
