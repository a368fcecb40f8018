"""Processes that prepare videos, but crash and hang on those whose names say so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

from zoomvqa.scoring import feeders

CRASHES, HANGS = "crash", "hang"
_WHOLE, _SERVE = feeders.look_at, feeders._serve


def serve_spoilt(*arguments: Any) -> None:
    """Take the place of what such a process does."""
    vars(feeders)["look_at"] = _spoilt
    _SERVE(*arguments)


def _spoilt(place: str, task: feeders.Task) -> Iterator[feeders.Message]:
    if f"_{CRASHES}_" in place:
        os.kill(os.getpid(), signal.SIGSEGV)
    if f"_{HANGS}_" in place:
        time.sleep(3600)
    yield from _WHOLE(place, task)
