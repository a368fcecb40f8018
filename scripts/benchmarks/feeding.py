"""Damaged files through the processes that prepare videos for the networks: what each comes to there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from zoomvqa.scoring.feeders import Failure, Feeders, Task
from zoomvqa.scoring.pieces import Ending, Piece, Reading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.views import Look, look_of
from zoomvqa.views.base import Looks
from zoomvqa.views.crops import FrameCrops
from zoomvqa.views.samplings import FrameRate


class _Fours(FrameRate):
    """Gives several pieces of a short video."""

    together = 4


# Small views, of many frames: what is looked for is in the files.
LOOKS: Looks = {
    "iqa": Look(_Fours(FrameSampling(rate=5)), FrameCrops(FrameView(resize=64, crop=64)), ({}, {})),
    "vqa": look_of(ClipSampling(clip_len=8, test_clips=4), ClipView(resize=-1, grid=2, side=16)),
}


def feed(
    outcomes: Mapping[Path, str],
    has_frames: Callable[[Path], bool],
    *,
    share: float,
    workers: int,
    patience: float,
) -> tuple[Counter[str], list[str]]:
    """Have files looked at by both branches; return the counts of what came of them, and what must not be.

    Args:
        outcomes: what reading each file by itself came to; see `fuzz_reader.look`.
        has_frames: whether ffmpeg decodes any frame of a file.
        share: of a damaged file's frames, how many must decode.
        workers: processes.
        patience: seconds without a sign of one.
    """
    counts, wrong, last = Counter[str](), list[str](), dict[Path, Ending | Failure]()
    places = ((path, str(path)) for path in outcomes)
    for path, message in Feeders[Path](Task(LOOKS, Reading(min_share=share)), workers, patience).look(places):
        if path in last:
            wrong.append(f"{path.name}: fed on after its end")
        if isinstance(message, Ending | Failure):
            last[path] = message
        elif isinstance(message, Piece) and not message.data.size:
            wrong.append(f"{path.name}: fed an empty piece")
    for path, outcome in outcomes.items():
        told = _told(last.get(path))
        counts[told] += 1
        if told in {"nothing", "unforeseen error"}:
            wrong.append(f"{path.name}: fed, it came to {told}")
        if told.startswith("scored") and not has_frames(path):
            wrong.append(f"{path.name}: fed, it was {told}, but ffmpeg decodes no frame of it")
        # Of a damaged file it is chance whether the frames that a branch wants are the damaged ones.
        expected = {"read": {"scored"}, "refused with a reason": {"refused"}}.get(outcome)
        if expected and told not in expected:
            wrong.append(f"{path.name}: {outcome} by itself, but {told} where it is fed")
    return counts, wrong


def _told(message: Ending | Failure | None) -> str:
    """Return what a file came to in a word."""
    if message is None:
        return "nothing"
    if isinstance(message, Ending):
        return "scored in part" if message.damage else "scored"
    if message.reason.startswith("the decoder crashed"):
        return "crash, contained"
    if message.reason.startswith("the decoder gave no sign"):
        return "hang, contained"
    # Reasons that no VideoError has begin with the name of what was raised.
    return "unforeseen error" if message.reason.partition(":")[0].endswith("Error") else "refused"
