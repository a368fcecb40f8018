"""Training on several sets at once: losses and figures within each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.losses import Loss
from zoomvqa.metrics import Figures, figures_of


@dataclass(frozen=True)
class Joined:
    """The sets that are trained together. Their scales mean different things, so videos of two are never compared.

    Attributes:
        names: of the sets.
        weights: how much the loss of each counts.
        validated: (videos,) int64, the set of each validation video.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    validated: Tensor

    @classmethod
    def of(cls, labelled: LabelledSet, validated: Sequence[LabelledVideo]) -> Joined | None:
        """Return the sets that are joined in one, None where it is one."""
        if not labelled.sets:
            return None
        return cls(labelled.sets, labelled.weights, torch.tensor([video.set for video in validated]))

    def loss(self, loss: Loss, prediction: Tensor, mos: Tensor, sets: Tensor) -> Tensor:
        """Return the mean of each set's own loss, by its weight and its number of samples in the batch.

        Args:
            loss: of one set's samples.
            prediction: (batch,).
            mos: (batch,).
            sets: (batch,) int64.
        """
        parts, counted = [], 0.0
        for number, weight in enumerate(self.weights):
            chosen = sets == number
            samples = int(chosen.sum())
            if samples:
                parts.append(weight * samples * loss(prediction[chosen], mos[chosen]))
                counted += weight * samples
        return torch.stack(parts).sum() / counted

    def figures(self, table: tuple[Tensor, Tensor, Tensor]) -> tuple[Figures, dict[str, Figures]]:
        """Return the figures of all sets together and of each by its name.

        Together, correlations are the means of the sets' that have any; RMSE is over all videos.

        Args:
            table: (videos,) numbers, predictions and MOS.
        """
        index, prediction, mos = (column.reshape(-1) for column in table)
        sets = self.validated[index]
        each = {
            name: figures_of(prediction[sets == number], mos[sets == number])
            for number, name in enumerate(self.names)
            if bool((sets == number).any())
        }
        told = torch.tensor([[f.srcc, f.plcc, f.krcc] for f in each.values()], dtype=torch.float64)
        srcc, plcc, krcc = told.nanmean(dim=0).tolist()
        return Figures(srcc, plcc, krcc, figures_of(prediction, mos).rmse, len(mos)), each
