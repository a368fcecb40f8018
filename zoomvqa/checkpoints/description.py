"""What a checkpoint says of itself: plain data, enough to score a video with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

import zoomvqa
from zoomvqa.calibration import FusionScale, Logistic
from zoomvqa.settings.base import Settings
from zoomvqa.settings.branch import AnyNetwork, AnySampling, AnyView, BranchSettings, check_branch_name
from zoomvqa.settings.data import Contents
from zoomvqa.settings.older import with_kinds
from zoomvqa.settings.registry import NETWORKS, SAMPLINGS, VIEWS, plugins_of
from zoomvqa.views import Look, look_of

FORMAT: Literal[3] = 3
# Those that are read.
READABLE = (1, 2, 3)
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
        plugins: modules outside of this package that have registered what it is made of.
        calibration: from the network's scores to MOS units, where it has none of its own; fitted on validation.
    """

    format: Literal[3] = 3
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
    plugins: tuple[str, ...] = ()
    calibration: Logistic | None = None


class BranchDescription(_Common):
    """The `zoomvqa` entry of a checkpoint with one branch: also the network, and what to show it.

    Attributes:
        branch: the branch's name.
        network: of the branch.
        sampling: which frames it looks at.
        view: which pixels of them.
    """

    branch: str
    network: AnyNetwork
    sampling: AnySampling
    view: AnyView

    @field_validator("branch")
    @classmethod
    def _can_be_a_column(cls, value: str) -> str:
        check_branch_name(value, "branch")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        self.network.check_look(self.sampling, self.view)
        return self

    @property
    def branches(self) -> dict[str, BranchDescription]:
        """Itself by its name."""
        return {self.branch: self}

    @property
    def look(self) -> Look:
        """What the branch looks at."""
        return look_of(self.sampling, self.view)

    @property
    def scale_free(self) -> bool:
        """Whether the network's own scores have no unit; a calibration may give them one."""
        return self.unit != "mos" or self.calibration is not None


class FusionDescription(_Common):
    """The `zoomvqa` entry of a fused checkpoint: its branches', and how their scores are joined.

    Attributes:
        branch: `fusion`.
        branches: by name.
        scale: how their scores are joined.
    """

    branch: Literal["fusion"] = "fusion"
    unit: Literal["mos"] = "mos"
    branches: dict[str, BranchDescription]
    scale: FusionScale

    @model_validator(mode="after")
    def _same_branches(self) -> Self:
        if list(self.branches) != list(self.scale.branches):
            raise ValueError("scale.branches: expected the same as branches")
        return self


Description = BranchDescription | FusionDescription


def describe(
    branch: BranchSettings,
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
    entry = BranchDescription(
        version=zoomvqa.__version__,
        branch=branch.name,
        network=branch.network,
        sampling=branch.sampling,
        view=branch.view,
        mos_range=mos_range,
        trained_on=trained_on,
        unit="none" if branch.loss.scale_free else "mos",
        config=config,
        plugins=plugins_of((NETWORKS, branch.network), (SAMPLINGS, branch.sampling), (VIEWS, branch.view)),
    )
    return entry.model_dump(mode="json") | dict(split_facts or {})


def as_written_now(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a file of format 1 or 2 in the form of this one; what is in this form already stays.

    Before format 3 the two branches were called iqa and vqa, and did not say of what kind they were.
    """
    found = dict(entry)
    if found.get("format") == FORMAT:
        return found
    found["format"] = FORMAT
    names = [name for name in ("iqa", "vqa") if isinstance(found.get(name), Mapping)]
    if found.get("branch") != "fusion":
        return with_kinds(str(found.get("branch")), found)
    found["branches"] = {name: as_written_now(found.pop(name)) for name in names}
    if isinstance(scale := found.get("scale"), Mapping):
        scales = {name: scale[name] for name in names if name in scale}
        share = scale.get("share", 0.5)
        kept = {key: value for key, value in scale.items() if key not in {*names, "share"}}
        given = dict(zip(names, (share, 1 - share), strict=False))
        found["scale"] = {"branches": scales, "weights": given} | kept
    return found
