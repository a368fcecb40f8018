"""Training losses by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from zoomvqa.losses.correlation import norm_in_norm_loss, plcc_loss, rank_loss
from zoomvqa.losses.soft_rank import soft_srcc_loss
from zoomvqa.settings.shared import LossSettings

Loss = Callable[[Tensor, Tensor], Tensor]


# Losses that see only agreement: what they train puts out scores without a unit.
SCALE_FREE = frozenset({"plcc", "rank", "plcc_rank", "norm_in_norm"})


def build_loss(settings: LossSettings) -> Loss:
    """Return the loss that `settings` name: a function of (batch,) predictions and (batch,) MOS to a scalar."""
    losses: dict[str, Loss] = {
        "smooth_l1": functional.smooth_l1_loss,
        "l1": functional.l1_loss,
        "mse": functional.mse_loss,
        "plcc": plcc_loss,
        "rank": rank_loss,
        "plcc_rank": lambda p, y: plcc_loss(p, y) + settings.rank_weight * rank_loss(p, y),
        "norm_in_norm": lambda p, y: norm_in_norm_loss(p, y, settings.norm_p, settings.norm_q),
    }
    main = losses[settings.name]
    if not settings.soft_srcc_weight:
        return main
    return lambda p, y: main(p, y) + settings.soft_srcc_weight * soft_srcc_loss(p, y)
