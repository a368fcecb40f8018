"""The branches of a checkpoint looking at one video together: it is decoded once for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, get_args

import torch
from torch import nn

from zoomvqa.checkpoints import Description
from zoomvqa.errors import SettingsError
from zoomvqa.models.fusion.net import branch_nets
from zoomvqa.scoring.parts import PartScore, PartScorer, Scored
from zoomvqa.scoring.pieces import Ending, Message, Piece, Restart
from zoomvqa.views import Look

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
PRECISIONS = get_args(Precision)
_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def branch_scorers(about: Description, net: nn.Module, device: torch.device) -> dict[str, PartScorer]:
    """Return what scores the parts of a video, by branch.

    Args:
        about: the checkpoint's description.
        net: its network, in evaluation mode, on the device.
        device: the device.
    """
    nets = branch_nets(net, list(about.branches))
    return {name: PartScorer(nets[name], device, branch.look) for name, branch in about.branches.items()}


class Networks:
    """The networks of a checkpoint, each with what it sees of a video.

    Args:
        scorers: the branches.
        device: that they are on.
        precision: of the networks.
    """

    def __init__(
        self, scorers: Mapping[str, PartScorer], device: torch.device, precision: Precision = "32-true"
    ) -> None:
        self._scorers, self._device, self._half = scorers, device, _HALF.get(precision)

    @property
    def looks(self) -> dict[str, Look]:
        """What the branches see of a video."""
        return {name: scorer.look for name, scorer in self._scorers.items()}

    @torch.inference_mode()
    def score(self, pieces: Sequence[Piece], *, maps: bool = False) -> list[list[Scored]]:
        """Return what the network says of the parts in each piece; all pieces are of one branch.

        They go through the network together. Where there is but one, its scores do not depend on anything else,
        to the last bit.

        Args:
            pieces: of any videos.
            maps: also return what the scores were made of.
        """
        with self._precision():
            return self._scorers[pieces[0].branch].score(pieces, maps=maps)

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast(self._device.type, self._half) if self._half else nullcontext()


class Tally:
    """The scores of one video's parts, as they come."""

    def __init__(self) -> None:
        self._found: dict[str, list[Scored]] = {}

    def add(self, branch: str, scored: list[Scored]) -> None:
        """Take the scores of a piece."""
        self._found.setdefault(branch, []).extend(scored)

    def parts(self, ending: Ending) -> dict[str, list[PartScore]]:
        """Return the scores of all parts, as the networks put them out."""
        found: dict[str, list[PartScore]] = {}
        for name, spans in ending.spans.items():
            pairs = zip(spans, self._found.get(name, []), strict=True)
            kind = ending.kinds[name]
            found[name] = [
                PartScore(span.first, span.last, span.start, span.end, score, kind, maps)
                for span, (score, maps) in pairs
            ]
        return found


def score_parts(
    messages: Iterable[Message], networks: Networks, *, maps: bool = False
) -> tuple[dict[str, list[PartScore]], Ending]:
    """Return the scores of a video's parts by each branch, as the networks put them out, and its ending.

    Args:
        messages: of the video; see `zoomvqa.scoring.pieces`.
        networks: of the checkpoint.
        maps: also return what the scores were made of.
    """
    tally = Tally()
    for message in messages:
        if isinstance(message, Ending):
            return tally.parts(message), message
        if isinstance(message, Restart):
            tally = Tally()
        else:
            tally.add(message.branch, networks.score([message], maps=maps)[0])
    raise AssertionError("pieces end with an ending")


def mean_score(parts: list[PartScore]) -> float:
    """Return the mean over a video's parts, in float32 as in validation."""
    return float(torch.tensor([part.score for part in parts]).mean())


def accelerator_device(accelerator: str) -> torch.device:
    """Return the device of this process that Lightning's name of an accelerator means: auto, cpu, gpu or mps.

    Raises:
        SettingsError: there is no such device.
    """
    names = {"gpu": f"cuda:{os.environ.get('LOCAL_RANK', '0')}"}
    return find_device(names.get(accelerator, accelerator), "trainer.accelerator")


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
