"""Several branches as one network, whose score is in MOS units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from zoomvqa.calibration import FusionScale
from zoomvqa.models.base import BranchNet, as_branch_net


class FusedScores(NamedTuple):
    """What the network says of videos.

    Attributes:
        score: (batch,) in MOS units.
        branches: each branch's own score, (batch,): the mean over the parts that it looks at.
    """

    score: Tensor
    branches: dict[str, Tensor]


class FusionNet(nn.Module):
    """Branches, and how their scores are joined.

    Each branch is a module of its own name, so that weights are named `<branch>.<parameter>`.

    Args:
        branches: by name.
        scale: fixed numbers; what is trained through them are the branches.

    Raises:
        ValueError: a name cannot be a module's.
    """

    def __init__(self, branches: Mapping[str, BranchNet], scale: FusionScale) -> None:
        super().__init__()
        self.names, self.scale = tuple(branches), scale
        for name, net in branches.items():
            if hasattr(self, name):
                raise ValueError(f"a branch cannot be called {name!r}")
            self.add_module(name, net)

    @property
    def branches(self) -> dict[str, BranchNet]:
        """The networks of the branches by name."""
        return {name: as_branch_net(self.get_submodule(name)) for name in self.names}

    @property
    def backbones(self) -> tuple[nn.Module, ...]:
        """The modules that train with the backbones' smaller step; the others are heads."""
        return tuple(backbone for net in self.branches.values() for backbone in net.backbones)

    def forward(self, *inputs: Tensor) -> FusedScores:
        """Score videos by some of their parts.

        Args:
            inputs: of each branch, in the order of their names: (batch, parts, …) network inputs.
        """
        pairs = zip(self.branches.items(), inputs, strict=True)
        own = {
            name: net(parts.flatten(0, 1)).score.float().view(parts.shape[:2]).mean(dim=1)
            for (name, net), parts in pairs
        }
        return FusedScores(self.scale.fused(own), own)


def branch_nets(net: nn.Module, names: tuple[str, ...] | list[str]) -> dict[str, BranchNet]:
    """Return the networks of the branches: of a fusion each, else the network itself under its one name."""
    if isinstance(net, FusionNet):
        return net.branches
    (name,) = names
    return {name: as_branch_net(net)}
