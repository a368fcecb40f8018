"""What the network of a branch must be: it scores parts of videos, and tells its backbones from its heads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

# From (n, frames, …) parts, as a view cuts them, to what a network takes.
ToNetwork = Callable[[Tensor], Tensor]


class Scores(NamedTuple):
    """What `forward` of a network returns at least.

    Attributes:
        score: (batch,) float32.
    """

    score: Tensor


class PartScores(NamedTuple):
    """What a network says of the parts of one video.

    Attributes:
        score: (parts,) float32.
        maps: the scores of places within a part, by name, each (parts, …): what its score was made of.
    """

    score: Tensor
    maps: Mapping[str, Tensor]


class BranchNet(nn.Module, ABC):
    """The network of a branch.

    `forward` takes (batch, …) parts as the branch's view makes them for the network, and returns an object whose
    attribute `score` is (batch,).

    Attributes:
        memory_format: of its weights, where it is fastest.
    """

    memory_format: ClassVar[torch.memory_format] = torch.contiguous_format

    @property
    @abstractmethod
    def backbones(self) -> tuple[nn.Module, ...]:
        """The modules that train with the backbone's smaller step; the others are heads."""

    @property
    @abstractmethod
    def last_layer(self) -> nn.Linear | nn.Conv3d:
        """The layer whose weights and bias a new head starts from; a part's score is linear in them."""

    def score_parts(self, parts: Tensor, to_network: ToNetwork) -> PartScores:
        """Score parts of one video, which go through the network together.

        Args:
            parts: (n, frames, …) as the view cuts them.
            to_network: makes network inputs of some of them, or of some of their frames.
        """
        return PartScores(self(to_network(parts)).score.float(), {})

    def head_features(self, inputs: Tensor) -> Tensor:
        """Return what `last_layer` is given of network inputs, the mean over places: (batch, hidden) float32."""
        kept: list[Tensor] = []
        hook = self.last_layer.register_forward_pre_hook(lambda _, given: kept.append(given[0].float()))
        try:
            self(inputs)
        finally:
            hook.remove()
        (given,) = kept
        if isinstance(self.last_layer, nn.Conv3d):
            return given.flatten(2).mean(dim=2)
        return given if given.ndim == 2 else given.flatten(1, -2).mean(dim=1)

    def check_outputs(self) -> list[Tensor]:
        """Return outputs of a small fixed input, to compare forms of the network by; of none it stays as it is."""
        return []

    def constant_cause(self, value: float) -> str:  # noqa: ARG002  for networks that can tell by it
        """Return the likely cause when the network predicts `value` of every video."""
        return "the network no longer tells videos apart"


def score_video(net: BranchNet, parts: Tensor, to_network: ToNetwork, together: int) -> Tensor:
    """Return the score of each part of one video, as scoring its file does.

    Parts go through the network in pieces of a fixed size: a video's score does not depend on what else is scored.

    Args:
        net: in evaluation mode.
        parts: (parts, frames, …) as the view cuts them.
        to_network: of the view.
        together: parts at a time.

    Returns:
        (parts,) float32.
    """
    return torch.cat([net.score_parts(piece, to_network).score for piece in parts.split(together)])


def as_branch_net(net: Any) -> BranchNet:
    """Return a network that was registered, seen to be the network of a branch.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(net, BranchNet):
        raise TypeError(f"{type(net).__name__} is no zoomvqa.models.base.BranchNet")
    return net
