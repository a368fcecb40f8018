"""Settings of an evaluation protocol: which splits are trained and tested."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationInfo, field_validator

from zoomvqa.settings.base import Settings
from zoomvqa.settings.data import Share


class Protocol(Settings):
    """A number of splits, each trained with some seeds, chosen on validation and tested once."""

    kind: Literal["official", "kfold", "repeats"]
    splits: PositiveInt = 1
    seeds: list[NonNegativeInt] = Field(default=[0], min_length=1)
    val_share: Share = 0.2
    test_share: Share = 0.2
    split_seed: int = 0
    checkpoint: Literal["best", "last"] = "best"
    only: list[NonNegativeInt] | None = None

    @field_validator("splits")
    @classmethod
    def _enough(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("kind") == "kfold" and value < 2:
            raise ValueError("at least 2 folds")
        if info.data.get("kind") == "official" and value != 1:
            raise ValueError("1, the set's own split")
        return value

    @field_validator("test_share")
    @classmethod
    def _something_to_train_and_test(cls, value: float, info: ValidationInfo) -> float:
        if info.data.get("kind") == "repeats" and (value == 0 or value + info.data.get("val_share", 0.0) >= 1.0):
            raise ValueError("above 0, and val_share + test_share below 1")
        return value

    @field_validator("checkpoint")
    @classmethod
    def _chosen_on_something(cls, value: str, info: ValidationInfo) -> str:
        if value == "best" and info.data.get("val_share") == 0:
            raise ValueError("last where protocol.val_share is 0: there is nothing to choose the best epoch by")
        return value

    @field_validator("only")
    @classmethod
    def _there(cls, value: list[int] | None, info: ValidationInfo) -> list[int] | None:
        if value is not None and (not value or max(value) >= info.data.get("splits", 1)):
            raise ValueError(f"numbers of splits, 0 to {info.data.get('splits', 1) - 1}")
        return value
