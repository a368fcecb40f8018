"""From the pieces of a video to the scores of its parts: frames for the IQA branch, clips for the VQA branch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zoomvqa.data.fragments import normalise
from zoomvqa.models.iqa.net import score_piece
from zoomvqa.models.vqa.net import score_clips
from zoomvqa.scoring.pieces import ClipLook, FrameLook, Piece


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

    def score(self, piece: Piece, *, patches: bool) -> list[Scored]:
        """Return the scores of a piece's frames."""
        out = score_piece(self.net, torch.from_numpy(piece.data).to(self.device))
        scores = out.score.cpu().tolist()
        if not patches:
            return [(score, None) for score in scores]
        pairs = zip(out.patch_score.cpu(), out.patch_weight.cpu(), strict=True)
        found = [Patches(score.numpy(), weight.numpy()) for score, weight in pairs]
        return list(zip(scores, found, strict=True))


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

    def score(self, piece: Piece, *, patches: bool) -> list[Scored]:  # noqa: ARG002  only frames have them
        """Return the score of a piece's clip."""
        clip = torch.from_numpy(piece.data).to(self.device)
        return [(score, None) for score in score_clips(self.net, [normalise(clip, self.look.view)]).tolist()]


PartScorer = FrameScorer | ClipScorer
