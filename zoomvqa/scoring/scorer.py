"""Scores one video at a time; what else is scored does not matter."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from zoomvqa.checkpoints import Checkpoint, Description, IQADescription, VQADescription
from zoomvqa.errors import SettingsError, VideoError
from zoomvqa.scoring.parts import ClipScorer, FrameScorer, PartScore, PartScorer
from zoomvqa.video.reader import ReaderName

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class VideoScore:
    """The score of a video, or why there is none.

    Attributes:
        score: mean over its frames or clips, in the units of the training labels where they have any; None after
            an error.
        error: why there is no score; empty where there is one.
        parts: the frames or clips that were looked at.
        seconds: how long it took.
        reader: which decoder read it.
    """

    score: float | None
    error: str = ""
    parts: list[PartScore] = field(default_factory=list)
    seconds: float = 0.0
    reader: str = ""


class Scorer:
    """Scores videos with a checkpoint.

    Args:
        checkpoint: weights, and what they are.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of the network; pixels and averages are always float32.
        reader: the decoder.
        test_crops: crops a frame of an IQA branch; None is what the checkpoint was validated with.
        test_clips: clips a video of a VQA branch; None is what the checkpoint was validated with.

    Raises:
        CheckpointError: the weights do not fit.
        SettingsError: there is no such device, or the checkpoint's branch has no such crops or clips.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "auto",
        precision: Precision = "32-true",
        reader: ReaderName = "auto",
        test_crops: int | None = None,
        test_clips: int | None = None,
    ) -> None:
        self.description = _with_options(checkpoint.description, test_crops, test_clips)
        self._device = _device(device)
        net = checkpoint.build_net().to(self._device)
        about = self.description
        self._parts: PartScorer
        if isinstance(about, VQADescription):
            self._parts = ClipScorer(net, self._device, about.sampling, about.view, reader)
        else:
            self._parts = FrameScorer(net, self._device, about.sampling, about.view, reader)
        self._half = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)

    @torch.inference_mode()
    def score(self, path: Path) -> VideoScore:
        """Score a video file, or a folder of extracted frames; a video that cannot be read is no exception."""
        begin = time.perf_counter()
        try:
            with torch.autocast(self._device.type, self._half) if self._half else nullcontext():
                parts, reader = self._parts(path)
        except VideoError as error:
            return VideoScore(None, str(error), seconds=time.perf_counter() - begin)
        except Exception as error:  # noqa: BLE001  whatever one video does to a decoder, it costs its own row only
            reason = f"{type(error).__name__}: {error}"
            return VideoScore(None, reason, seconds=time.perf_counter() - begin)
        score = float(torch.tensor([part.score for part in parts]).mean())  # as in validation, to the last bit
        seconds = time.perf_counter() - begin
        if not math.isfinite(score):
            return VideoScore(None, "the network's score is not a number", seconds=seconds)
        return VideoScore(score, "", parts, seconds, reader)


def _with_options(about: Description, test_crops: int | None, test_clips: int | None) -> Description:
    """Return the description with the crops or clips that the user wants.

    Raises:
        SettingsError: they are of the other branch.
    """
    if isinstance(about, IQADescription):
        if test_clips is not None:
            raise SettingsError("test_clips: this is a checkpoint of an IQA branch, which looks at frames")
        update = {} if test_crops is None else {"test_crops": test_crops}
        return about.model_copy(update={"view": about.view.model_copy(update=update)})
    if test_crops is not None:
        raise SettingsError("test_crops: this is a checkpoint of a VQA branch, which looks at clips")
    changed = {} if test_clips is None else {"test_clips": test_clips}
    return about.model_copy(update={"sampling": about.sampling.model_copy(update=changed)})


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise SettingsError(f"device: '{name}' cannot be used here ({reason})") from None
    return device
