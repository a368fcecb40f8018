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
from zoomvqa.checkpoints import Checkpoint, Description, FusionDescription, IQADescription
from zoomvqa.errors import SettingsError, VideoError
from zoomvqa.models.inference import prepare_for_scoring
from zoomvqa.scoring.branches import (
    PRECISIONS,
    BranchName,
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


@dataclass(frozen=True)
class VideoScore:
    """The score of a video, or why there is none.

    Attributes:
        score: in MOS units where the checkpoint has any, else as the network puts it out; None after an error.
        error: why there is no score; empty where there is one.
        branches: each branch's own score of the video, in MOS units where there are any.
        frames: the frames that the IQA branch looked at.
        clips: the clips that the VQA branch looked at.
        seconds: how long it took.
        reader: which decoder read it.
        note: what is special about the video's pictures, such as HDR, and what was done about it; usually empty.
        damage: how much of a damaged video was scored; empty where it is sound.
    """

    score: float | None
    error: str = ""
    branches: dict[BranchName, float] = field(default_factory=dict)
    frames: list[PartScore] = field(default_factory=list)
    clips: list[PartScore] = field(default_factory=list)
    seconds: float = 0.0
    reader: str = ""
    note: str = ""
    damage: str = ""


class Scorer:
    """Scores videos with a checkpoint: an IQA branch, a VQA branch, or both fused.

    Args:
        checkpoint: weights, and what they are.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of the network; pixels and averages are always float32.
        reader: the decoder.
        test_crops: crops a frame of an IQA branch; None is what the checkpoint was validated with.
        test_clips: clips a video of a VQA branch; None is what the checkpoint was validated with.
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

    def score(self, video: str | Path | Any, *, fps: float | None = None, patches: bool = False) -> VideoScore:
        """Score a video.

        Args:
            video: a file, a folder of extracted frames (IQA branch alone), or frames that are decoded already: a
                (frames, height, width, 3) uint8 RGB array or tensor.
            fps: frames a second of an array.
            patches: also return the IQA branch's patch scores and weights, where the checkpoint has such a branch.

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
        found = self.finished(*score_parts(messages, self.networks, patches=patches))
        return replace(found, seconds=time.perf_counter() - begin)

    def finished(self, parts: dict[BranchName, list[PartScore]], ending: Ending) -> VideoScore:
        """Return the score of a video from those of its parts.

        Raises:
            VideoError: it is not a number.
        """
        scored = self._in_units(parts)
        if scored.score is None or not math.isfinite(scored.score):
            raise VideoError("the network's score is not a number")
        return replace(scored, reader=ending.reader, note=ending.note, damage=ending.damage)

    def _in_units(self, found: dict[BranchName, list[PartScore]]) -> VideoScore:
        """Return the video's score and its parts' in the checkpoint's units."""
        about = self.description
        means = {name: mean_score(parts) for name, parts in found.items()}
        if isinstance(about, FusionDescription):
            iqa, vqa = (torch.tensor(means[name], dtype=torch.float64) for name in ("iqa", "vqa"))
            score = float(about.scale.fused(iqa, vqa))
            units: dict[BranchName, Logistic] = {"iqa": about.scale.iqa.logistic, "vqa": about.scale.vqa.logistic}
            branches = {name: units[name].of(mean) for name, mean in means.items()}
        else:
            calibration = about.calibration
            units = {} if calibration is None else dict.fromkeys(means, calibration)
            branches = {name: _converter(units.get(name))(mean) for name, mean in means.items()}
            (score,) = branches.values()
        parts = {
            name: [replace(p, score=_converter(units.get(name))(p.score)) for p in some]
            for name, some in found.items()
        }
        return VideoScore(score, "", branches, parts.get("iqa", []), parts.get("vqa", []))


def _converter(logistic: Logistic | None) -> Callable[[float], float]:
    return float if logistic is None else logistic.of


def with_options(about: Description, test_crops: int | None, test_clips: int | None) -> Description:
    """Return a description with the crops or clips that the user wants; None leaves them.

    Raises:
        SettingsError: they are of the other branch.
    """
    if isinstance(about, FusionDescription):
        iqa, vqa = with_options(about.iqa, test_crops, None), with_options(about.vqa, None, test_clips)
        return about.model_copy(update={"iqa": iqa, "vqa": vqa})
    if isinstance(about, IQADescription):
        if test_clips is not None:
            raise SettingsError("test_clips: this is a checkpoint of an IQA branch, which looks at frames")
        update = {} if test_crops is None else {"test_crops": test_crops}
        return about.model_copy(update={"view": about.view.model_copy(update=update)})
    if test_crops is not None:
        raise SettingsError("test_crops: this is a checkpoint of a VQA branch, which looks at clips")
    changed = {} if test_clips is None else {"test_clips": test_clips}
    return about.model_copy(update={"sampling": about.sampling.model_copy(update=changed)})
