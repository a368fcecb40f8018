"""Standard streams that never stop the work: closed ones, a pipe that nobody reads, a log on a full disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast


def open_closed_streams() -> None:
    """Open the null device in the place of standard streams that are closed (`2>&-`).

    Otherwise the next file that is opened gets the number of such a stream, and what a library prints goes there.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)  # noqa: FBT003  the only way to call it
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, _null())


@contextmanager
def steady_streams() -> Iterator[None]:
    """Have what is printed in the block go nowhere once it cannot be written, instead of raising."""
    before = sys.stdout, sys.stderr
    steady = [_Steady(stream) for stream in before]
    sys.stdout, sys.stderr = (cast("TextIO", stream) for stream in steady)
    try:
        yield
    finally:
        for stream in steady:
            stream.flush()  # here: what fails when Python ends changes the exit code
        sys.stdout, sys.stderr = before


class _Steady:
    """A stream of text whose errors are not told: there is nowhere left to tell them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._give_up()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self) -> None:
        """Send the stream's own file to the null device too: what is in its buffer is written when Python ends."""
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
        self._stream = _null()


def _null() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8", errors="replace")  # noqa: PTH123  for as long as we run
