"""What the networks are shown of a video, a piece at a time. It needs no network: another process can do it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.reader import ReaderName
from zoomvqa.video.salvage import salvage
from zoomvqa.video.show import AS_IS, Show
from zoomvqa.views.base import Looks, PartKind, Span
from zoomvqa.views.decoding import FrameStore, passing
from zoomvqa.views.store import open_for_parts
from zoomvqa.views.taker import PartTaker


@dataclass(frozen=True)
class Reading:
    """How files are read.

    Attributes:
        reader: the decoder of videos.
        min_share: of a damaged video's frames that must decode: it is then taken for a video of these frames. 1
            takes no damaged video.
        show: what is done to the pictures of videos.
    """

    reader: ReaderName = "auto"
    min_share: float = 1.0
    show: Show = AS_IS


@dataclass(frozen=True)
class Piece:
    """Some of the parts of a video that a branch looks at.

    Attributes:
        branch: its name.
        data: (parts, frames, …), as the branch's view cuts them.
    """

    branch: str
    data: NDArray[Any]


@dataclass(frozen=True)
class Ending:
    """After a video's pieces.

    Attributes:
        spans: of the parts of each branch, in the order of its pieces.
        kinds: what the parts of each branch are called.
        reader: which decoder read the video.
        note: what is special about the video's pictures; empty where nothing is.
        damage: how much of a damaged video decodes; empty where all does.
    """

    spans: dict[str, list[Span]]
    kinds: dict[str, PartKind]
    reader: str
    note: str = ""
    damage: str = ""


@dataclass(frozen=True)
class Restart:
    """In the middle of a video's pieces: those before it do not count, for the video turned out to be damaged."""


Message = Piece | Restart | Ending


def pieces(store: FrameStore, looks: Looks) -> Iterator[Piece | Ending]:
    """Yield what all branches see of a video, out of one decoding, and an ending.

    Raises:
        VideoError: the video cannot be read, or a branch has no use for it.
    """
    takers = {name: PartTaker(look, store) for name, look in looks.items()}
    for _ in passing(store, list(takers.values())):
        for name, taker in takers.items():
            yield from (Piece(name, data) for data in taker.ready())
    spans = {name: taker.spans() for name, taker in takers.items()}
    kinds = {name: look.sampling.part for name, look in looks.items()}
    yield Ending(spans, kinds, store.reader, store.note, store.damage)


def pieces_of_file(path: Path, looks: Looks, reading: Reading) -> Iterator[Message]:
    """Yield what all branches see of a file or a folder of frames, and an ending.

    Args:
        path: of it.
        looks: of the branches.
        reading: how it is read.

    Raises:
        VideoError: the video cannot be read, or a branch has no use for it.
    """
    folders = all(look.sampling.takes_folders for look in looks.values())
    try:
        yield from pieces(open_for_parts(path, folders=folders, reader=reading.reader, show=reading.show), looks)
    except DamagedError as damage:
        store = _what_decodes(path, reading, damage)
    else:
        return
    yield Restart()
    yield from pieces(store, looks)


def _what_decodes(path: Path, reading: Reading, damage: DamagedError) -> FrameStore:
    """Return those frames of a file that decode.

    A file may be sound though its packets promised other frames: with a `min_share` of 1 all that is in it must
    decode, and nothing be missing at its end.
    """
    try:
        return salvage(path, reading.min_share, reading.show)
    except VideoError:
        if reading.min_share >= 1:
            raise damage from None
        raise
