"""Processes that prepare videos for the networks: one that crashes or hangs costs its own video only."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from zoomvqa.errors import VideoError
from zoomvqa.internals.main_module import METHOD, ProcessWithoutMain
from zoomvqa.parent import end_with_parent
from zoomvqa.scoring.pieces import Ending, Piece, Reading, Restart, pieces_of_file
from zoomvqa.video import decord_reader
from zoomvqa.video.address import is_remote
from zoomvqa.video.alive import tell_of_life
from zoomvqa.views.base import Looks

Name = TypeVar("Name")
# Seconds that a process may take to start, whatever the patience with one that has.
_START_S = 300.0


@dataclass(frozen=True)
class Failure:
    """In the place of a video's ending: why it cannot be scored."""

    reason: str


@dataclass(frozen=True)
class Task:
    """How videos are looked at.

    Attributes:
        looks: what each branch sees.
        reading: how files are read.
        remote: whether addresses such as s3://… are fetched.
    """

    looks: Looks
    reading: Reading
    remote: bool = False


@dataclass(frozen=True)
class Sign:
    """A process is at its video still."""


Message = Piece | Restart | Ending | Failure


def look_at(place: str, task: Task) -> Iterator[Message]:
    """Yield what the branches see of a video and an ending; where it cannot be read any further, a failure.

    Args:
        place: a path or an address.
        task: how it is looked at.
    """
    try:
        with _local(place, task) as path:
            yield from pieces_of_file(path, task.looks, task.reading)
    except VideoError as error:
        yield Failure(str(error))
    except Exception as error:  # noqa: BLE001  whatever one video does to a decoder, it costs its own row only
        yield Failure(f"{type(error).__name__}: {error}")


def _local(place: str, task: Task) -> AbstractContextManager[Path]:
    if not is_remote(place):
        return nullcontext(Path(place))
    if not task.remote:
        raise VideoError("an address, not a file; remote=true fetches such")
    from zoomvqa.video.remote import local_copy  # noqa: PLC0415  what fetches is 20 MB in every process

    return local_copy(place)


def _serve(line: Connection, task: Task) -> None:
    """Answer paths with messages, until there are no more: what a process does."""
    end_with_parent()  # also in the middle of a video, or of a decoder that hangs
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders print a line for each damaged block
    decord_reader.torch_first = False  # here it has no use, costs seconds and half a gigabyte
    tell_of_life(partial(line.send, Sign()))
    line.send(Sign())  # here it begins: what comes before is the start of a process
    while True:
        try:
            for message in look_at(line.recv(), task):
                line.send(message)
        except (EOFError, OSError):  # the parent is gone
            return


@dataclass
class _Worker(Generic[Name]):
    """One process, and the video it is at."""

    process: Any
    line: Connection
    name: Name | None = None
    quiet_since: float = 0.0
    started: bool = False

    def given_up_at(self, patience: float) -> float:
        """Return until when its silence is borne with; a start on a busy machine takes its time."""
        return self.quiet_since + (patience if self.started else max(patience, _START_S))

    def end(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.join()


def _context() -> Any:
    context: Any = multiprocessing.get_context(METHOD)
    if os.name == "posix":
        context.set_forkserver_preload([__name__])
    return context


def warm_up() -> None:
    """Have the process that others are forked from import what they need, meanwhile."""
    if os.name == "posix":
        _context()
        forkserver.ensure_running()


class Feeders(Generic[Name]):
    """Several processes that look at videos ahead of the network.

    A process makes the next piece while the network is busy, and waits with it until it is taken: memory is
    bounded whatever the videos' length. One that dies, or gives no sign for too long, is replaced.

    Args:
        task: how they look.
        workers: how many processes.
        patience: seconds without a sign after which a process is given up.
    """

    def __init__(self, task: Task, workers: int, patience: float) -> None:
        self._context = _context()
        self._task, self._count, self._patience = task, workers, patience

    def look(self, videos: Iterable[tuple[Name, str]]) -> Iterator[tuple[Name, Message]]:
        """Yield the messages of all videos, each with its video's name; an ending or a failure is a video's last.

        Videos come with their paths or addresses, and are taken as processes get free. Messages of several are
        mixed, those of one are in order.
        """
        waiting, workers = iter(videos), list[_Worker[Name]]()
        try:
            while True:
                self._give(waiting, workers)
                busy = [w for w in workers if w.name is not None]
                if not busy:
                    return
                for worker in self._ready(busy):
                    name, message = worker.name, self._message(worker, workers)
                    if name is not None and message is not None:
                        yield name, message
                        worker.quiet_since = time.monotonic()
        finally:
            for worker in workers:
                worker.end()

    def _give(self, waiting: Iterator[tuple[Name, str]], workers: list[_Worker[Name]]) -> None:
        """Give every free process a video, and start processes while there are too few."""
        while len(workers) < self._count or any(w.name is None for w in workers):
            found = next(waiting, None)
            if found is None:
                return
            worker = next((w for w in workers if w.name is None), None)
            if worker is not None and not worker.process.is_alive():
                workers.remove(worker)
                worker.end()
                worker = None
            if worker is None:
                worker = self._start()
                workers.append(worker)
            worker.name, worker.quiet_since = found[0], time.monotonic()
            worker.line.send(found[1])

    def _start(self) -> _Worker[Name]:
        ours, theirs = self._context.Pipe()
        process = ProcessWithoutMain(target=_serve, args=(theirs, self._task), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _ready(self, busy: list[_Worker[Name]]) -> list[_Worker[Name]]:
        """Return the processes that have something to say, or have been quiet for too long."""
        left = min(w.given_up_at(self._patience) for w in busy) - time.monotonic()
        lines = wait([w.line for w in busy], timeout=max(0.0, left))
        now = time.monotonic()
        return [w for w in busy if w.line in lines or now >= w.given_up_at(self._patience)]

    def _message(self, worker: _Worker[Name], workers: list[_Worker[Name]]) -> Message | None:
        """Return what a process says; one that is dead or silent is ended, and its video has failed."""
        reason = ""
        try:
            if worker.line.poll():
                message: Message | Sign = worker.line.recv()
                worker.quiet_since, worker.started = time.monotonic(), True
                if isinstance(message, Sign):
                    return None
                if isinstance(message, Ending | Failure):
                    worker.name = None
                return message
            quiet = time.monotonic() - worker.quiet_since
            reason = f"the decoder gave no sign for {quiet:.0f} seconds"
        except (EOFError, OSError):
            worker.process.join(1)
            reason = f"the decoder crashed (exit code {worker.process.exitcode})"
        workers.remove(worker)
        worker.end()
        return Failure(reason)
