"""Settings of Lightning's Trainer: the typed ones, and any further argument that it has."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from zoomvqa.settings.base import Settings
from zoomvqa.settings.trainer_keys import check_further, further_keys, parameters

# Short names that Lightning takes as well.
_SHORT_NAMES = {"64": "64-true", "32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}


def _some_batches(value: Any) -> Any:
    """Take a number of batches, or a share of them.

    Raises:
        ValueError: it is neither, or none at all.
    """
    whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if value is None or whole or (isinstance(value, float) and 0.0 < value <= 1.0):
        return value
    raise ValueError("a number of batches from 1, or a share of them above 0.0 and up to 1.0")


Batches = Annotated[int | float | None, BeforeValidator(_some_batches)]


class TrainerSettings(Settings):
    """The arguments of Lightning's Trainer that the configs set, and any others that it has.

    The others are checked against its signature, and are attributes as the typed ones are. An argument that the
    training itself sets is refused; `zoomvqa.settings.trainer_keys` has the reasons.
    """

    model_config = ConfigDict(extra="allow")

    accelerator: Literal["auto", "cpu", "gpu", "mps"]
    devices: PositiveInt | Literal[-1, "auto"] | list[NonNegativeInt]
    num_nodes: PositiveInt
    strategy: str
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true"]
    max_epochs: PositiveInt
    min_epochs: PositiveInt | None = None
    accumulate_grad_batches: PositiveInt
    gradient_clip_val: PositiveFloat | None
    limit_train_batches: Batches = None
    limit_val_batches: Batches = None
    check_val_every_n_epoch: PositiveInt | None = None
    deterministic: bool | Literal["warn"]
    log_every_n_steps: PositiveInt
    profiler: Literal["simple", "advanced", "pytorch"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _are_arguments(cls, values: Any) -> Any:
        """Check what is not typed here; Lightning is imported only where there is such a key."""
        if isinstance(values, dict):
            check_further({key: value for key, value in values.items() if key not in cls.model_fields})
        return values

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return the keys that may be given."""
        return [*cls.model_fields, *further_keys(set(cls.model_fields))]

    @classmethod
    def near_keys(cls) -> list[str]:
        """Return also the keys that are refused: the reason is told to those who meant them."""
        return [*cls.model_fields, *(key for key in parameters() if key not in cls.model_fields)]

    @field_validator("precision", mode="before")
    @classmethod
    def _whole_name(cls, value: Any) -> Any:
        """Take Lightning's short names, too."""
        return _SHORT_NAMES.get(str(value), value)

    @field_validator("devices")
    @classmethod
    def _differ(cls, value: int | str | list[int]) -> int | str | list[int]:
        if isinstance(value, list) and (not value or len(set(value)) < len(value)):
            raise ValueError("numbers of devices that differ, such as [0,1]")
        return value

    @field_validator("min_epochs")
    @classmethod
    def _within(cls, value: int | None, info: ValidationInfo) -> int | None:
        epochs = info.data.get("max_epochs")
        if value is not None and epochs is not None and value > epochs:
            raise ValueError(f"max_epochs={epochs} at most")
        return value

    @field_validator("check_val_every_n_epoch")
    @classmethod
    def _last_epoch_counts(cls, value: int | None, info: ValidationInfo) -> int | None:
        epochs = info.data.get("max_epochs")
        if value is not None and epochs is not None and epochs % value:
            raise ValueError(
                f"a number that divides max_epochs={epochs}: epochs behind the last validation would be lost"
            )
        return value

    @property
    def one_process(self) -> bool:
        """Whether it is certain that one process trains alone; how many `auto` and -1 find shows later."""
        one = len(self.devices) == 1 if isinstance(self.devices, list) else self.devices == 1
        return one and self.num_nodes == 1
