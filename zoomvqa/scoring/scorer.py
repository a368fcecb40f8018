"""Scores one video at a time; what else is scored does not matter."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from zoomvqa.calibration import Logistic
from zoomvqa.checkpoints import BranchDescription, Checkpoint, Description, FusionDescription
from zoomvqa.errors import SettingsError, VideoError
from zoomvqa.models.inference import prepare_for_scoring
from zoomvqa.scoring.branches import (
    PRECISIONS,
    Networks,
    Precision,
    branch_scorers,
    find_device,
    mean_score,
    score_parts,
)
from zoomvqa.scoring.parts import PartScore
from zoomvqa.scoring.pieces import Ending, Message, Reading, pieces, pieces_of_file
from zoomvqa.settings.vqa import MOST_PARTS
from zoomvqa.video.array_video import ArrayVideo
from zoomvqa.video.reader import ReaderName, check_reader
from zoomvqa.video.show import AS_IS, Show
from zoomvqa.views.base import PartKind


@dataclass(frozen=True)
class VideoScore:
    """The score of a video, or why there is none.

    Attributes:
        score: in MOS units where the checkpoint has any, else as the network puts it out; None after an error.
        error: why there is no score; empty where there is one.
        branches: each branch's own score of the video, in MOS units where there are any.
        parts: the parts that each branch looked at, with their times and scores.
        seconds: how long it took.
        reader: which decoder read it.
        note: what is special about the video's pictures, such as HDR, and what was done about it; usually empty.
        damage: how much of a damaged video was scored; empty where it is sound.
    """

    score: float | None
    error: str = ""
    branches: dict[str, float] = field(default_factory=dict)
    parts: dict[str, list[PartScore]] = field(default_factory=dict)
    seconds: float = 0.0
    reader: str = ""
    note: str = ""
    damage: str = ""

    @property
    def frames(self) -> list[PartScore]:
        """The frames that branches looked at, branch by branch."""
        return self._of_kind("frame")

    @property
    def clips(self) -> list[PartScore]:
        """The clips that branches looked at, branch by branch."""
        return self._of_kind("clip")

    def _of_kind(self, kind: PartKind) -> list[PartScore]:
        return [part for parts in self.parts.values() for part in parts if part.kind == kind]


class Scorer:
    """Scores videos with a checkpoint of one branch, or of several fused.

    Args:
        checkpoint: weights, and what they are.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of the network; pixels and averages are always float32.
        reader: the decoder.
        test_crops: crops a frame of branches that look at crops; None is what the checkpoint was validated with.
        test_clips: clips a video of branches that look at clips; None is what the checkpoint was validated with.
        min_share: of a damaged video's frames that must decode for it to be scored on them; 1 scores no damaged
            video.
        compiled: build what pays in C++; see `zoomvqa.models.inference.prepare_for_scoring`.
        show: what is done to HDR, non-square pixels and interlaced frames.

    Attributes:
        description: of the checkpoint, with these crops and clips.
        device: that the networks are on.
        networks: the checkpoint's.
        reading: how files are read.

    Raises:
        CheckpointError: the weights do not fit.
        SettingsError: there is no such device or precision, or the checkpoint's branch has no such crops or clips.
        ToolError: the decoder, or what compiling needs, is not installed.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "auto",
        precision: Precision = "32-true",
        reader: ReaderName = "auto",
        test_crops: int | None = None,
        test_clips: int | None = None,
        min_share: float = 1.0,
        compiled: bool = False,
        show: Show = AS_IS,
    ) -> None:
        if precision not in PRECISIONS:
            raise SettingsError(f"precision: got {precision!r}, expected one of {', '.join(PRECISIONS)}")
        for key, count in (("test_crops", test_crops), ("test_clips", test_clips)):
            if count is not None and not 1 <= count <= MOST_PARTS:
                raise SettingsError(f"{key}: got {count}, expected 1 to {MOST_PARTS}")
        if not 0 < min_share <= 1:
            raise SettingsError(f"min_share: got {min_share}, expected above 0 and at most 1")
        check_reader(reader)
        self.description = with_options(checkpoint.description, test_crops, test_clips)
        self.device, self.reading = find_device(device), Reading(reader, min_share, show)
        net = prepare_for_scoring(checkpoint.build_net().to(self.device), precision, compile=compiled)
        branches = branch_scorers(self.description, net, self.device)
        self.networks = Networks(branches, self.device, precision)

    def score(
        self, video: str | Path | Any, *, fps: float | None = None, maps: bool = False, patches: bool = False
    ) -> VideoScore:
        """Score a video.

        Args:
            video: a file, a folder of extracted frames (for branches of single frames), or frames that are
                decoded already: a (frames, height, width, 3) uint8 RGB array or tensor.
            fps: frames a second of an array.
            maps: also return what the parts' scores were made of; see `PartScore`.
            patches: the same, by its earlier name.

        Raises:
            VideoError: it cannot be read, or the network's score is not a number.
        """
        begin = time.perf_counter()
        if isinstance(video, str | Path):
            if fps is not None:
                raise VideoError("fps: a file tells its own; it is for frames in memory")
            path = Path(video).expanduser()
            looks = self.networks.looks
            messages: Iterator[Message] = pieces_of_file(path, looks, self.reading)
        elif fps is None:
            raise VideoError("fps: frames in memory need their number a second")
        else:
            messages = pieces(ArrayVideo(video, fps), self.networks.looks)
        found = self.finished(*score_parts(messages, self.networks, maps=maps or patches))
        return replace(found, seconds=time.perf_counter() - begin)

    def finished(self, parts: dict[str, list[PartScore]], ending: Ending) -> VideoScore:
        """Return the score of a video from those of its parts.

        Raises:
            VideoError: it is not a number.
        """
        scored = self._in_units(parts)
        if scored.score is None or not math.isfinite(scored.score):
            raise VideoError("the network's score is not a number")
        return replace(scored, reader=ending.reader, note=ending.note, damage=ending.damage)

    def _in_units(self, found: dict[str, list[PartScore]]) -> VideoScore:
        """Return the video's score and its parts' in the checkpoint's units."""
        about = self.description
        means = {name: mean_score(parts) for name, parts in found.items()}
        if isinstance(about, FusionDescription):
            scores = {name: torch.tensor(mean, dtype=torch.float64) for name, mean in means.items()}
            units: dict[str, Logistic | None] = {n: scale.logistic for n, scale in about.scale.branches.items()}
            score: float | None = float(about.scale.fused(scores))
        else:
            units, score = dict.fromkeys(means, about.calibration), None
        branches = {name: _converter(units[name])(mean) for name, mean in means.items()}
        if score is None:
            (score,) = branches.values()
        parts = {
            name: [replace(part, score=_converter(units[name])(part.score)) for part in some]
            for name, some in found.items()
        }
        return VideoScore(score, "", branches, parts)


def _converter(logistic: Logistic | None) -> Callable[[float], float]:
    return float if logistic is None else logistic.of


def with_options(about: Description, test_crops: int | None, test_clips: int | None) -> Description:
    """Return a description with the crops or clips that the user wants; None leaves them.

    Raises:
        SettingsError: no branch looks at such.
    """
    for key, value in (("test_crops", test_crops), ("test_clips", test_clips)):
        if value is None:
            continue
        changed = {name: _with_option(branch, key, value) for name, branch in about.branches.items()}
        if not any(_has_option(branch, key) for branch in changed.values()):
            looks = " and ".join(f"{branch.look.sampling.part}s" for branch in about.branches.values())
            raise SettingsError(
                f"{key}: got {value}, but the checkpoint's branches ({', '.join(changed)}) look at {looks}"
            )
        if isinstance(about, FusionDescription):
            about = about.model_copy(update={"branches": changed})
        else:
            (about,) = changed.values()
    return about


def _has_option(about: BranchDescription, key: str) -> bool:
    return any(key in type(settings).model_fields for settings in (about.sampling, about.view))


def _with_option(about: BranchDescription, key: str, value: int) -> BranchDescription:
    """Return a branch whose sampling and view have another value where they know the key."""
    update = {
        name: settings.model_copy(update={key: value})
        for name, settings in (("sampling", about.sampling), ("view", about.view))
        if key in type(settings).model_fields
    }
    return about.model_copy(update=update)
