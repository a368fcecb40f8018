"""Settings of the training losses; see `zoomvqa.losses`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, SerializeAsAny

from zoomvqa.settings.base import Settings
from zoomvqa.settings.registry import LOSSES

NotNegative = Annotated[float, Field(ge=0.0)]


class LossSettings(Settings):
    """A training loss; each registered one has a class of its own with its own keys.

    Attributes:
        scale_free: whether it sees only agreement: what it trains puts out scores without a unit.
    """

    scale_free: ClassVar[bool] = False

    name: str
    soft_srcc_weight: NotNegative = 0.0
    all_processes: bool = True


class PlainLoss(LossSettings):
    """A mean over samples, in units of the MOS."""

    name: Literal["smooth_l1", "l1", "mse"] = "smooth_l1"


class AgreementLoss(LossSettings):
    """The PLCC loss, or the rank loss, of FAST-VQA."""

    scale_free = True

    name: Literal["plcc", "rank"] = "plcc"


class PlccRankLoss(LossSettings):
    """The PLCC loss and so much of the rank loss."""

    scale_free = True

    name: Literal["plcc_rank"] = "plcc_rank"
    rank_weight: NotNegative = 0.3


class NormInNormLoss(LossSettings):
    """Norm-in-norm (arXiv 2008.03889): the norms of the error, and of the normalisation."""

    scale_free = True

    name: Literal["norm_in_norm"] = "norm_in_norm"
    norm_p: PositiveFloat = 2.0
    norm_q: PositiveFloat = 2.0


def loss_settings(name: str = "smooth_l1", **keys: Any) -> LossSettings:
    """Return the settings of a registered loss.

    Args:
        name: of the loss.
        keys: of its own.

    Raises:
        SettingsError: there is no such loss, or it has no such keys.
    """
    found = _loss({"name": name, **keys})
    assert isinstance(found, LossSettings)  # noqa: S101  what losses are registered with
    return found


def _loss(values: Any) -> Settings:
    return LOSSES.settings(values, "branch.loss")


AnyLoss = Annotated[SerializeAsAny[LossSettings], BeforeValidator(_loss)]
