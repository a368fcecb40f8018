"""From the pieces of a video to the scores of its parts: frames for the IQA branch, clips for the VQA branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zoomvqa.data.normalise import normalise
from zoomvqa.models.iqa.net import score_piece
from zoomvqa.scoring.pieces import ClipLook, FrameLook, Piece

# Frames of clips that a CPU is shown at a time; an even number.
_FRAMES = 4


@dataclass(frozen=True)
class Patches:
    """What the IQA branch says of the patches of a frame's crops.

    Attributes:
        score: (crops, grid, grid) float32, not negative, as the network puts them out.
        weight: (crops, grid, grid) float32, 0..1.
    """

    score: NDArray[np.float32]
    weight: NDArray[np.float32]


@dataclass(frozen=True)
class PartScore:
    """The score of one frame, or of one clip.

    Attributes:
        first, last: numbers of its first and last frame within the video; see `zoomvqa.scoring.pieces.Span`.
        start, end: when these frames are shown, seconds from the start of the video.
        score: in MOS units where the checkpoint has any, else as the network puts it out.
        patches: of a frame, where they were asked for.
    """

    first: int
    last: int
    start: float
    end: float
    score: float
    patches: Patches | None = None


# A part's score as the network puts it out, and its patches where they were asked for.
Scored = tuple[float, Patches | None]


@dataclass(frozen=True)
class FrameScorer:
    """Scores frames with an IQA network.

    Attributes:
        net: in evaluation mode, on its device.
        device: the device.
        look: what it sees of a video.
    """

    net: nn.Module
    device: torch.device
    look: FrameLook

    def score(self, pieces: Sequence[Piece], *, patches: bool) -> list[list[Scored]]:
        """Return the scores of the frames in each piece."""
        counts = [len(piece.data) for piece in pieces]
        views = pieces[0].data if len(pieces) == 1 else np.concatenate([piece.data for piece in pieces])
        out = score_piece(self.net, torch.from_numpy(views).to(self.device))
        kept: list[Patches | None] = [None] * len(views)
        if patches:
            pairs = zip(out.patch_score.cpu(), out.patch_weight.cpu(), strict=True)
            kept = [Patches(score.numpy(), weight.numpy()) for score, weight in pairs]
        scored = iter(zip(out.score.cpu().tolist(), kept, strict=True))
        return [list(islice(scored, count)) for count in counts]


@dataclass(frozen=True)
class ClipScorer:
    """Scores clips with a VQA network.

    Attributes:
        net: in evaluation mode, on its device.
        device: the device.
        look: what it sees of a video.
    """

    net: nn.Module
    device: torch.device
    look: ClipLook

    def score(self, pieces: Sequence[Piece], *, patches: bool) -> list[list[Scored]]:  # noqa: ARG002
        """Return the score of each piece's clip; `patches` is for frames alone."""
        pictures = pieces[0].data[None] if len(pieces) == 1 else np.stack([piece.data for piece in pieces])
        some = _FRAMES if self.device.type == "cpu" else pictures.shape[1]
        slices = torch.from_numpy(pictures).to(self.device).split(some, dim=1)
        scores = self.net(normalise(part, self.look.view) for part in slices).score
        return [[(score, None)] for score in scores.tolist()]


PartScorer = FrameScorer | ClipScorer
