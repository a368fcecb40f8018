"""Scores one video at a time; what else is scored does not matter."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from zoomvqa.checkpoints import Checkpoint
from zoomvqa.data.frame_source import frame_source
from zoomvqa.data.views import TestView
from zoomvqa.errors import SettingsError, VideoError
from zoomvqa.models.iqa.net import score_views
from zoomvqa.video.reader import ReaderName

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class FrameScore:
    """The score of one frame.

    Attributes:
        frame: its number within the video, from 0.
        time: when it is shown, seconds from the start.
        score: in the units of the training labels.
    """

    frame: int
    time: float
    score: float


@dataclass(frozen=True)
class VideoScore:
    """The score of a video, or why there is none.

    Attributes:
        score: mean over its frames, in the units of the training labels; None after an error.
        error: why there is no score; empty where there is one.
        frames: the frames that were looked at.
        seconds: how long it took.
        reader: which decoder read it.
    """

    score: float | None
    error: str = ""
    frames: list[FrameScore] = field(default_factory=list)
    seconds: float = 0.0
    reader: str = ""


class Scorer:
    """Scores videos with a checkpoint.

    Args:
        checkpoint: weights, and what they are.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of the network; pixels and averages are always float32.
        reader: the decoder.
        test_crops: crops a frame; None is what the checkpoint was validated with.
        chunk: frames decoded and scored at a time, which bounds the memory.

    Raises:
        CheckpointError: the weights do not fit.
        SettingsError: there is no such device.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "auto",
        precision: Precision = "32-true",
        reader: ReaderName = "auto",
        test_crops: int | None = None,
        chunk: int = 8,
    ) -> None:
        self.description = checkpoint.description
        self._device = _device(device)
        self._net = checkpoint.build_net().to(self._device)
        view = self.description.view
        self._view = TestView(view if test_crops is None else view.model_copy(update={"test_crops": test_crops}))
        self._reader, self._chunk = reader, chunk
        self._half = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)

    def score(self, path: Path) -> VideoScore:
        """Score a video file, or a folder of extracted frames; a video that cannot be read is no exception."""
        begin = time.perf_counter()
        try:
            source = frame_source(path, self.description.sampling, self._reader)
            scores = self._frame_scores(self._views(source.frames()))
        except VideoError as error:
            return VideoScore(None, str(error), seconds=time.perf_counter() - begin)
        except Exception as error:  # noqa: BLE001  whatever one video does to a decoder, it costs its own row only
            reason = f"{type(error).__name__}: {error}"
            return VideoScore(None, reason, seconds=time.perf_counter() - begin)
        if not bool(scores.isfinite().all()):
            return VideoScore(None, "the network's score is not a number", seconds=time.perf_counter() - begin)
        told = zip(source.indices, source.times, scores.tolist(), strict=True)
        frames = [FrameScore(index, moment, score) for index, moment, score in told]
        reader = str(getattr(source, "reader", ""))
        return VideoScore(float(scores.mean()), "", frames, time.perf_counter() - begin, reader)

    def _views(self, frames: Iterator) -> Iterator[Tensor]:
        while piece := [self._view(frame) for frame in islice(frames, self._chunk)]:
            yield torch.stack(piece)

    @torch.inference_mode()
    def _frame_scores(self, views: Iterator[Tensor]) -> Tensor:
        half = self._half
        context = torch.autocast(self._device.type, half) if half else nullcontext()
        with context:
            pieces = [score_views(self._net, v.to(self._device), self._chunk).cpu() for v in views]
        if not pieces:
            raise VideoError("there is no frame in it")
        return torch.cat(pieces)


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
