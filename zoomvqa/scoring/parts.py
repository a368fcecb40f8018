"""From the pieces of a video to the scores of its parts: frames or clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zoomvqa.models.base import BranchNet
from zoomvqa.scoring.pieces import Piece
from zoomvqa.views.base import Look, PartKind

# What a part's score was made of, by name: arrays over the places within the part.
Maps = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Patches:
    """What a network of patch scores says of the patches of a frame's crops.

    Attributes:
        score: (crops, grid, grid) float32, not negative, as the network puts them out.
        weight: (crops, grid, grid) float32, 0..1.
    """

    score: NDArray[np.float32]
    weight: NDArray[np.float32]


@dataclass(frozen=True)
class PartScore:
    """The score of one part: a frame, or a clip.

    Attributes:
        first, last: numbers of its first and last frame within the video; see `zoomvqa.views.Span`.
        start, end: when these frames are shown, seconds from the start of the video.
        score: in MOS units where the checkpoint has any, else as the network puts it out.
        kind: frame or clip.
        maps: what the score was made of, by name, where that was asked for: `score` and `weight` of patches,
            (crops, grid, grid); `score` of the places of a clip, (time, rows, columns). As the network has them.
    """

    first: int
    last: int
    start: float
    end: float
    score: float
    kind: PartKind = "frame"
    maps: Maps = field(default_factory=dict)

    @property
    def patches(self) -> Patches | None:
        """The scores and weights of patches, where the network has such and they were asked for."""
        if {"score", "weight"} <= self.maps.keys():
            return Patches(self.maps["score"], self.maps["weight"])
        return None


# A part's score as the network puts it out, and what it was made of, where that was asked for.
Scored = tuple[float, Maps]


@dataclass(frozen=True)
class PartScorer:
    """Scores parts with the network of a branch.

    Attributes:
        net: in evaluation mode, on its device.
        device: the device.
        look: what it sees of a video.
    """

    net: BranchNet
    device: torch.device
    look: Look

    def score(self, pieces: Sequence[Piece], *, maps: bool) -> list[list[Scored]]:
        """Return the scores of the parts in each piece; `maps` keeps what they were made of."""
        data = pieces[0].data if len(pieces) == 1 else np.concatenate([piece.data for piece in pieces])
        out = self.net.score_parts(torch.from_numpy(data).to(self.device), self.look.view.to_network)
        kept: list[Maps] = [{}] * len(data)
        if maps:
            arrays = {name: values.float().cpu().numpy() for name, values in out.maps.items()}
            kept = [{name: values[part] for name, values in arrays.items()} for part in range(len(data))]
        scored = iter(zip(out.score.cpu().tolist(), kept, strict=True))
        return [list(islice(scored, len(piece.data))) for piece in pieces]
