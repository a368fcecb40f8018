"""Settings of a branch: what it looks at, its network, and how that is trained."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializeAsAny,
    field_validator,
    model_validator,
)
from typing_extensions import Self

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import Settings
from zoomvqa.settings.loss import AnyLoss, PlainLoss
from zoomvqa.settings.registry import NETWORKS, SAMPLINGS, VIEWS
from zoomvqa.settings.shared import Optimiser

# What the release calls its two branches: keys of their own name their checkpoints, and tables have both columns.
USUAL_NAMES = ("iqa", "vqa")
# Names of branches are columns of tables and attributes of networks.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = frozenset(
    {
        "fusion",
        "fused",
        "video",
        "score",
        "status",
        "error",
        "frames",
        "clips",
        "seconds",
        "reader",
        "note",
        "scale",
    }
)


class SamplingSettings(Settings):
    """Which frames of a video are looked at; each registered kind has a class of its own."""

    kind: str


class ViewSettings(Settings):
    """Which pixels of a frame are looked at; each registered kind has a class of its own."""

    kind: str


class NetworkSettings(Settings):
    """A network; each registered kind has a class of its own."""

    kind: str
    # Weights that the network can be built with, beside those of files: values of `weights.source`.
    own_weights: ClassVar[frozenset[str]] = frozenset()

    @property
    def label(self) -> str:
        """What the network is called, for a person."""
        return self.kind

    def check_look(self, sampling: SamplingSettings, view: ViewSettings) -> None:
        """Refuse what the network cannot look at.

        Raises:
            SettingsError: of a value of `branch.sampling` or `branch.view`.
        """


def _sampling(values: Any) -> Settings:
    return SAMPLINGS.settings(values, "branch.sampling")


def _view(values: Any) -> Settings:
    return VIEWS.settings(values, "branch.view")


def _network(values: Any) -> Settings:
    return NETWORKS.settings(values, "branch.network")


AnySampling = Annotated[SerializeAsAny[SamplingSettings], BeforeValidator(_sampling)]
AnyView = Annotated[SerializeAsAny[ViewSettings], BeforeValidator(_view)]
AnyNetwork = Annotated[SerializeAsAny[NetworkSettings], BeforeValidator(_network)]


class Mixing(Settings):
    """Mixing pairs of training samples; a Beta parameter of 0 switches one off."""

    mixup: Annotated[float, Field(ge=0.0)] = 0.0
    cutmix: Annotated[float, Field(ge=0.0)] = 0.0


class PartLoading(Settings):
    """Training on single frames of all videos in one order."""

    kind: Literal["parts"] = "parts"
    batch_size: PositiveInt = 32
    workers: NonNegativeInt = 2
    cache: bool = True
    cache_folder: str | None = None
    cache_limit_gb: PositiveFloat = 50.0


class VideoLoading(Settings):
    """Training on a few parts of each video."""

    kind: Literal["videos"] = "videos"
    batch_size: PositiveInt = 16
    workers: NonNegativeInt = 2
    variants: NonNegativeInt = 0
    cache_folder: str | None = None
    cache_limit_gb: PositiveFloat = 50.0


class BranchSettings(Settings):
    """Everything about a branch."""

    name: str
    sampling: AnySampling
    view: AnyView
    network: AnyNetwork
    loss: AnyLoss = PlainLoss()
    mixing: Mixing = Mixing()
    optimiser: Optimiser = Optimiser()
    loading: Annotated[PartLoading | VideoLoading, Field(discriminator="kind")]

    @field_validator("name")
    @classmethod
    def _can_be_a_column(cls, value: str) -> str:
        check_branch_name(value, "branch.name")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        """Refuse settings that do not fit each other.

        Raises:
            SettingsError: they do not.
        """
        self.network.check_look(self.sampling, self.view)
        mixed = {key: value for key, value in self.mixing.model_dump().items() if value}
        for key, value in mixed.items():
            if self.loading.kind != "parts":
                raise SettingsError(
                    f"branch.mixing.{key}: got {value}, expected 0 with branch.loading.kind=videos"
                )
        return self


def check_branch_name(name: str, key: str) -> None:
    """Refuse a name that cannot be a column of a table and a module of a network.

    Args:
        name: of a branch.
        key: of the setting, for messages.

    Raises:
        SettingsError: it cannot.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN:
        why = "that name is taken" if name in _TAKEN else "lower-case letters, digits and _, a letter first"
        raise SettingsError(f"{key}: got {name!r}, expected the name of a branch: {why}")
