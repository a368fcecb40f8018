"""Settings of a labelled set of videos."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    ValidationInfo,
    field_validator,
)

from zoomvqa.settings.base import Settings
from zoomvqa.video.reader import ReaderName

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
SplitName = Literal["train", "val", "test"]
# How it is known which videos show one content: told by the annotation or a pattern, each video its own, guessed
# from names or from pictures, or not at all.
Contents = Literal["known", "unique", "names", "pictures", "unknown"]


class Columns(Settings):
    """Names of the columns of a CSV with a header; `null` finds the usual names."""

    video: str | None = None
    mos: str | None = None
    std: str | None = None
    votes: str | None = None
    content: str | None = None
    split: str | None = None


class DataSettings(Settings):
    """A labelled set: where its videos and its scores are, and how it is split."""

    name: str
    root: str
    annotations: str | dict[SplitName, str] | None = None
    usual_files: tuple[str | dict[SplitName, str], ...] = ()
    layout: Literal["videos", "frames"] = "videos"
    missing: Literal["refuse", "skip"] = "refuse"
    columns: Columns = Columns()
    header: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    content_pattern: str | None = None
    contents: Literal["names", "pictures", "unique"] | None = None
    mos_range: tuple[float, float] | None = None
    val_share: Share = 0.2
    test_share: Share = 0.0
    split_seed: int = 0
    reader: ReaderName = "auto"
    max_failures: NonNegativeInt = 10
    limit: PositiveInt | None = None
    overfit: bool = False

    @field_validator("content_pattern")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        try:
            groups = re.compile(value).groups if value else 1
        except re.error as error:
            raise ValueError(f"a regular expression: {error}") from None
        if groups != 1:
            raise ValueError("a regular expression with exactly one group")
        return value

    @field_validator("mos_range")
    @classmethod
    def _is_range(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] >= value[1]:
            raise ValueError("[lowest, highest]")
        return value

    @field_validator("test_share")
    @classmethod
    def _leaves_training_videos(cls, value: float, info: ValidationInfo) -> float:
        if value + info.data.get("val_share", 0.0) >= 1.0:
            raise ValueError("val_share + test_share below 1")
        return value


class SeveralSets(Settings):
    """Several labelled sets that are used together, their scores brought to 0..100."""

    name: Literal["mixed"] = "mixed"
    sets: dict[str, DataSettings]
    weights: dict[str, Annotated[float, Field(ge=1e-6, le=1e6)]] = Field(default_factory=dict)

    @field_validator("sets")
    @classmethod
    def _go_together(cls, value: dict[str, DataSettings]) -> dict[str, DataSettings]:
        if not value:
            raise ValueError("names of sets, as data=[lsvq,konvid1k]")
        if len({s.layout for s in value.values()}) > 1:
            raise ValueError("all of layout=videos, or all of layout=frames")
        if len({s.reader for s in value.values()} - {"auto"}) > 1:
            raise ValueError("one reader for all sets that name one")
        return value

    @field_validator("weights")
    @classmethod
    def _of_sets(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if unknown := sorted(value.keys() - info.data.get("sets", value).keys()):
            raise ValueError(f"a weight for each set, not for {', '.join(unknown)}")
        return value

    @property
    def layout(self) -> Literal["videos", "frames"]:
        """Of all of them."""
        return next(iter(self.sets.values())).layout

    @property
    def reader(self) -> ReaderName:
        """The one that some of them name."""
        return next((s.reader for s in self.sets.values() if s.reader != "auto"), "auto")

    @property
    def max_failures(self) -> int:
        """Of all of them together."""
        return sum(s.max_failures for s in self.sets.values())

    @property
    def overfit(self) -> bool:
        """Whether some are validated on what is trained."""
        return any(s.overfit for s in self.sets.values())


def _kind(value: Any) -> str:
    several = "sets" in value if isinstance(value, dict) else isinstance(value, SeveralSets)
    return "SeveralSets" if several else "DataSettings"


AnyData = Annotated[
    Annotated[DataSettings, Tag("DataSettings")] | Annotated[SeveralSets, Tag("SeveralSets")], Discriminator(_kind)
]
