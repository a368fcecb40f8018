"""What a checkpoint says of itself: plain data, enough to score a video with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

import zoomvqa
from zoomvqa.calibration import FusionScale, Logistic
from zoomvqa.losses import SCALE_FREE
from zoomvqa.settings.base import Settings
from zoomvqa.settings.data import Contents
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQABranch, IQANetwork
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQABranch, VQANetwork

FORMAT: Literal[2] = 2
# In the version of a converted file, between ours and the name of the file that it was made from.
CONVERTED = ", converted from "


class _Common(Settings):
    """What the descriptions of all branches have.

    Attributes:
        format: of this entry.
        version: of the package that wrote it.
        mos_range: lowest and highest score of the training scale; None where unknown.
        trained_on: name of the labelled set; None where unknown.
        unit: `mos` where scores are in the units of the training labels, `none` where the training loss has no
            scale or nothing is known: such scores order videos, no more.
        contents: how it was known which videos show one content: `unknown` where the split may have torn versions
            of one scene apart; None where the file does not tell.
        split: whether the split was `drawn` at random, or `given` by the annotation.
        config: the composed config of the run, for the reader; nothing is built from it.
        epoch: of the weights, counted from 0.
        figures: of the validation that the weights were saved at.
        weights: which of the file's weights had them: `net`, or `averaged` (their moving average).
        calibration: from the network's scores to MOS units, where it has none of its own; fitted on validation.
    """

    format: Literal[2] = 2
    version: str
    mos_range: tuple[float, float] | None = None
    trained_on: str | None = None
    unit: Literal["mos", "none"]
    contents: Contents | None = None
    split: Literal["drawn", "given"] | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    epoch: int | None = None
    figures: dict[str, float | None] = Field(default_factory=dict)
    weights: Literal["net", "averaged"] = "net"
    calibration: Logistic | None = None


class IQADescription(_Common):
    """The `zoomvqa` entry of an IQA branch's checkpoint: also the network, and what to show it."""

    branch: Literal["iqa"] = "iqa"
    network: IQANetwork
    sampling: FrameSampling
    view: FrameView


class VQADescription(_Common):
    """The `zoomvqa` entry of a VQA branch's checkpoint: also the network, and what to show it."""

    branch: Literal["vqa"] = "vqa"
    network: VQANetwork
    sampling: ClipSampling
    view: ClipView


class FusionDescription(_Common):
    """The `zoomvqa` entry of a fused checkpoint: both branches', and how their scores are joined."""

    branch: Literal["fusion"] = "fusion"
    unit: Literal["mos"] = "mos"
    iqa: IQADescription
    vqa: VQADescription
    scale: FusionScale


BranchDescription = IQADescription | VQADescription
Description = IQADescription | VQADescription | FusionDescription
DESCRIPTIONS: dict[str, type[IQADescription | VQADescription | FusionDescription]] = {
    "iqa": IQADescription,
    "vqa": VQADescription,
    "fusion": FusionDescription,
}


def describe(
    branch: IQABranch | VQABranch,
    mos_range: tuple[float, float] | None,
    trained_on: str | None,
    config: dict[str, Any],
    split_facts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the description of a branch as plain dicts, lists, numbers and strings.

    Args:
        branch: its settings.
        mos_range: lowest and highest score of the training scale; None where unknown.
        trained_on: name of the labelled set.
        config: of the whole run.
        split_facts: `contents` and `split` of the set, see `LabelledSet.split_facts`.
    """
    kind = IQADescription if isinstance(branch, IQABranch) else VQADescription
    entry = kind(
        version=zoomvqa.__version__,
        network=branch.network,
        sampling=branch.sampling,
        view=branch.view,
        mos_range=mos_range,
        trained_on=trained_on,
        unit="none" if branch.loss.name in SCALE_FREE else "mos",
        config=config,
    )
    return entry.model_dump(mode="json") | dict(split_facts or {})
