"""Training losses by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

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
        "plcc_rank": partial(_sum, (plcc_loss, rank_loss), settings.rank_weight),
        "norm_in_norm": partial(norm_in_norm_loss, p=settings.norm_p, q=settings.norm_q),
    }
    main = losses[settings.name]
    weight = settings.soft_srcc_weight
    return partial(_sum, (main, soft_srcc_loss), weight) if weight else main


def _sum(losses: tuple[Loss, Loss], weight: float, prediction: Tensor, mos: Tensor) -> Tensor:
    """Return the first loss and so much of the second: no lambda, for processes that are started anew."""
    return losses[0](prediction, mos) + weight * losses[1](prediction, mos)
