"""The branches of a checkpoint looking at one video together: it is decoded once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, get_args

import torch

from zoomvqa.checkpoints import Description, FusionDescription, VQADescription
from zoomvqa.data.one_pass import FrameStore
from zoomvqa.errors import SettingsError
from zoomvqa.scoring.parts import ClipScorer, FrameScorer, PartScore, PartScorer, Scored
from zoomvqa.scoring.pieces import BranchName, ClipLook, Ending, FrameLook, Look, Piece, pieces

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
PRECISIONS = get_args(Precision)
_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def branch_scorers(about: Description, net: Any, device: torch.device) -> dict[BranchName, PartScorer]:
    """Return what scores the parts of a video, by branch.

    Args:
        about: the checkpoint's description.
        net: its network, in evaluation mode, on the device.
        device: the device.
    """
    if isinstance(about, FusionDescription):
        return branch_scorers(about.iqa, net.iqa, device) | branch_scorers(about.vqa, net.vqa, device)
    if isinstance(about, VQADescription):
        return {"vqa": ClipScorer(net, device, ClipLook(about.sampling, about.view))}
    return {"iqa": FrameScorer(net, device, FrameLook(about.sampling, about.view))}


class Tally:
    """The scores of one video's parts, as its pieces come.

    Args:
        scorers: the branches.
        device: that they are on.
        precision: of the networks.
        patches: also keep the IQA branch's patch scores.
    """

    def __init__(
        self,
        scorers: Mapping[BranchName, PartScorer],
        device: torch.device,
        precision: Precision = "32-true",
        *,
        patches: bool = False,
    ) -> None:
        self._scorers, self._device, self._half, self._patches = scorers, device, _HALF.get(precision), patches
        self._found: dict[BranchName, list[Scored]] = {name: [] for name in scorers}

    @torch.inference_mode()
    def add(self, piece: Piece) -> None:
        """Score a piece."""
        with self._precision():
            self._found[piece.branch] += self._scorers[piece.branch].score(piece, patches=self._patches)

    def parts(self, ending: Ending) -> dict[BranchName, list[PartScore]]:
        """Return the scores of all parts, as the networks put them out."""
        found: dict[BranchName, list[PartScore]] = {}
        for name, spans in ending.spans.items():
            pairs = zip(spans, self._found[name], strict=True)
            found[name] = [
                PartScore(s.first, s.last, s.start, s.end, score, patches) for s, (score, patches) in pairs
            ]
        return found

    @property
    def looks(self) -> dict[BranchName, Look]:
        """What the branches see of a video."""
        return {name: scorer.look for name, scorer in self._scorers.items()}

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast(self._device.type, self._half) if self._half else nullcontext()


def score_parts(store: FrameStore, tally: Tally) -> dict[BranchName, list[PartScore]]:
    """Return the scores of a video's parts by each branch, as the networks put them out.

    Raises:
        VideoError: the video cannot be read.
    """
    for piece in pieces(store, tally.looks):
        if isinstance(piece, Ending):
            return tally.parts(piece)
        tally.add(piece)
    raise AssertionError("pieces end with an ending")


def mean_score(parts: list[PartScore]) -> float:
    """Return the mean over a video's parts, in float32 as in validation, to the last bit."""
    return float(torch.tensor([part.score for part in parts]).mean())


def find_device(name: str, key: str = "device") -> torch.device:
    """Return the device of a name: auto, cpu, cuda, cuda:1 or mps.

    Args:
        name: of the device.
        key: of the setting it came from, for messages.

    Raises:
        SettingsError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise SettingsError(f"{key}: '{name}' cannot be used here ({reason})") from None
    return device
