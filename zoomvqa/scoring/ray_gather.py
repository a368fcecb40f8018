"""The rows of videos out of what Ray's workers tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from zoomvqa.errors import VideoError
from zoomvqa.scoring.branches import Tally
from zoomvqa.scoring.feeders import Failure
from zoomvqa.scoring.parts import PartScore
from zoomvqa.scoring.pieces import Ending, Restart
from zoomvqa.scoring.ray_messages import Message, PieceScores, unpacked
from zoomvqa.scoring.scorer import Scorer, VideoScore


class Called(Protocol):
    """What is said to the desk; see `zoomvqa.scoring.ray_messages.Desk`."""

    def put(self, number: int, location: str) -> None:
        """Add a video."""

    def end(self, total: int) -> None:
        """Say that there are no more."""

    def done(self, number: int) -> None:
        """Say that a video has its row."""


class CalledDesk:
    """A desk that is an actor: calls that nobody waits for."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def put(self, number: int, location: str) -> None:
        """See `Called`."""
        self._actor.put.remote(number, location)

    def end(self, total: int) -> None:
        """See `Called`."""
        self._actor.end.remote(total)

    def done(self, number: int) -> None:
        """See `Called`."""
        self._actor.done.remote(number)


@dataclass
class _Open:
    """A video in work, and what came of it until now."""

    name: str
    pieces: dict[int, PieceScores | Restart] = field(default_factory=dict)
    ending: Ending | None = None
    length: int = -1
    seconds: float = 0.0


def gathered(
    desk: Called,
    tables: Iterator[Any],
    scorer: Scorer,
    videos: Iterator[tuple[str, str]],
    window: int,
) -> Iterator[tuple[str, VideoScore]]:
    """Give out videos as there is room, and yield the scores of those of which everything came.

    Args:
        desk: who gives them out.
        tables: of messages, as the last stage puts them out; in any order, and some of them twice.
        scorer: makes a video's score of its parts'.
        videos: names and locations.
        window: videos in work at a time.
    """
    given, more = 0, True
    working: dict[int, _Open] = {}
    while True:
        while more and len(working) < window:
            found = next(videos, None)
            if found is None:
                more = False
                desk.end(given)
                break
            working[given] = _Open(found[0])
            desk.put(given, found[1])
            given += 1
        table = next(tables, None)
        if table is None:
            break
        for message in (m for messages in unpacked(table) for m in messages):
            video = working.get(message.number)
            result = None if video is None else _told(video, message, scorer)
            if video is not None and result is not None:
                del working[message.number]
                desk.done(message.number)
                yield video.name, result
    for video in working.values():  # it is not known to happen, but no row may be missing
        yield video.name, VideoScore(None, "Ray lost what it found of this video")


def _told(video: _Open, message: Message, scorer: Scorer) -> VideoScore | None:
    """Add a message to its video; once nothing is missing, return the result. One that comes twice counts once."""
    content = message.content
    if isinstance(content, Failure):
        return VideoScore(None, content.reason, seconds=video.seconds + message.seconds)
    if isinstance(content, Ending) and video.ending is None:
        video.ending, video.length = content, message.place
        video.seconds += message.seconds
    elif isinstance(content, PieceScores | Restart) and message.place not in video.pieces:
        video.pieces[message.place] = content
        video.seconds += message.seconds
    if video.ending is None or len(video.pieces) < video.length:
        return None
    try:
        found = scorer.finished(_parts(video), video.ending)
    except VideoError as error:
        return VideoScore(None, str(error), seconds=video.seconds)
    return replace(found, seconds=video.seconds)


def _parts(video: _Open) -> dict[str, list[PartScore]]:
    """Return the scores of a video's parts, of its pieces in order; those before a restart do not count."""
    tally = Tally()
    for _, piece in sorted(video.pieces.items()):
        if isinstance(piece, Restart):
            tally = Tally()
        else:
            tally.add(piece.branch, [(score, {}) for score in piece.scores])
    assert video.ending is not None  # noqa: S101  the caller has looked
    return tally.parts(video.ending)
