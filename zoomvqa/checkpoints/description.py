"""What a checkpoint says of itself: plain data, enough to score a video with it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

import zoomvqa
from zoomvqa.losses import SCALE_FREE
from zoomvqa.settings.base import Settings
from zoomvqa.settings.branch import FrameSampling, FrameView, IQABranch, IQANetwork

FORMAT: Literal[1] = 1


class Description(Settings):
    """The `zoomvqa` entry of a checkpoint.

    Attributes:
        format: of this entry.
        version: of the package that wrote it.
        branch: which network.
        network, sampling, view: how to build it and what to show it.
        mos_range: lowest and highest score of the training scale; None where unknown.
        trained_on: name of the labelled set; None where unknown.
        unit: `mos` where scores are in the units of the training labels, `none` where the training loss has no
            scale or nothing is known: such scores order videos, no more.
        config: the composed config of the run, for the reader; nothing is built from it.
        epoch: of the weights, counted from 0.
        figures: of the validation that the weights were saved at.
    """

    format: Literal[1] = 1
    version: str
    branch: Literal["iqa"]
    network: IQANetwork
    sampling: FrameSampling
    view: FrameView
    mos_range: tuple[float, float] | None = None
    trained_on: str | None = None
    unit: Literal["mos", "none"]
    config: dict[str, Any] = Field(default_factory=dict)
    epoch: int | None = None
    figures: dict[str, float | None] = Field(default_factory=dict)


def describe(
    branch: IQABranch, mos_range: tuple[float, float] | None, trained_on: str | None, config: dict[str, Any]
) -> dict[str, Any]:
    """Return the description of a branch as plain dicts, lists, numbers and strings."""
    entry = Description(
        version=zoomvqa.__version__,
        branch=branch.name,
        network=branch.network,
        sampling=branch.sampling,
        view=branch.view,
        mos_range=mos_range,
        trained_on=trained_on,
        unit="none" if branch.loss.name in SCALE_FREE else "mos",
        config=config,
    )
    return entry.model_dump(mode="json")
