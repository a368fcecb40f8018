"""Training losses by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor
from torch.nn import functional

from zoomvqa.losses.correlation import norm_in_norm_loss, plcc_loss, rank_loss
from zoomvqa.losses.soft_rank import soft_srcc_loss
from zoomvqa.settings.loss import AgreementLoss, LossSettings, NormInNormLoss, PlainLoss, PlccRankLoss
from zoomvqa.settings.registry import LOSSES

Loss = Callable[[Tensor, Tensor], Tensor]


def build_loss(settings: LossSettings) -> Loss:
    """Return the loss that `settings` name: a function of (batch,) predictions and (batch,) MOS to a scalar."""
    main: Loss = LOSSES.build(settings)
    weight = settings.soft_srcc_weight
    return partial(_sum, (main, soft_srcc_loss), weight) if weight else main


def plain(settings: PlainLoss) -> Loss:
    """Return a mean over samples."""
    losses: dict[str, Loss] = {
        "smooth_l1": functional.smooth_l1_loss,
        "l1": functional.l1_loss,
        "mse": functional.mse_loss,
    }
    return losses[settings.name]


def agreement(settings: AgreementLoss) -> Loss:
    """Return the PLCC loss or the rank loss."""
    return plcc_loss if settings.name == "plcc" else rank_loss


def plcc_rank(settings: PlccRankLoss) -> Loss:
    """Return the PLCC loss and so much of the rank loss."""
    return partial(_sum, (plcc_loss, rank_loss), settings.rank_weight)


def norm_in_norm(settings: NormInNormLoss) -> Loss:
    """Return the norm-in-norm loss."""
    return partial(norm_in_norm_loss, p=settings.norm_p, q=settings.norm_q)


def _sum(losses: tuple[Loss, Loss], weight: float, prediction: Tensor, mos: Tensor) -> Tensor:
    """Return the first loss and so much of the second: no lambda, for processes that are started anew."""
    return losses[0](prediction, mos) + weight * losses[1](prediction, mos)
