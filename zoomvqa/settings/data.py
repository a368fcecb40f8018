"""Settings of a labelled set of videos."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationInfo, field_validator

from zoomvqa.settings.base import Settings
from zoomvqa.video.reader import ReaderName

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
SplitName = Literal["train", "val", "test"]


class Columns(Settings):
    """Names of the columns of a CSV with a header; `null` finds the usual names."""

    video: str | None = None
    mos: str | None = None
    std: str | None = None
    content: str | None = None
    split: str | None = None


class DataSettings(Settings):
    """A labelled set: where its videos and its scores are, and how it is split."""

    name: str
    root: str
    annotations: str | dict[SplitName, str] | None = None
    usual_files: tuple[str | dict[SplitName, str], ...] = ()
    layout: Literal["videos", "frames"] = "videos"
    columns: Columns = Columns()
    header: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    content_pattern: str | None = None
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
