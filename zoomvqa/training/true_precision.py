"""Training with the network in one dtype other than float32; what is around it stays float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

import torch
from lightning.pytorch.plugins.precision import Precision
from torch import Tensor, nn

from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.training.module import QualityModule

TruePrecision = Literal["bf16-true", "16-true", "64-true"]
_DTYPES: dict[TruePrecision, torch.dtype] = {
    "bf16-true": torch.bfloat16,
    "16-true": torch.float16,
    "64-true": torch.float64,
}


class NetworkPrecision(Precision):
    """Converts a branch module's network and what it is shown, and nothing else.

    Lightning's own plugins convert the whole module and every batch: with them the labels, the moving average of
    the weights and what a validation gathers would be in that dtype, too, and in bfloat16 an average with a decay
    of 0.999 never moves.

    Args:
        precision: of the network, as Lightning names it.
    """

    def __init__(self, precision: TruePrecision) -> None:
        self.precision = precision
        self._dtype = _DTYPES[precision]
        self._converted: nn.Module | None = None

    def convert_module(self, module: nn.Module) -> nn.Module:
        """Convert the network of a `QualityModule`; doing it again changes nothing."""
        net = cast("QualityModule", module).net
        if net is self._converted:
            return module
        self._converted = net.to(self._dtype)
        # Whole videos are scored by the branches of a fusion, not by itself.
        for own in net.branches.values() if isinstance(net, FusionNet) else (net,):
            own.register_forward_pre_hook(self._convert_inputs)
        return module

    def _convert_inputs(self, _: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(self._convert(value) for value in inputs)

    def _convert(self, value: Any) -> Any:
        """Convert a tensor, or slices of one that come one after another."""
        if isinstance(value, Iterator):
            return map(self._convert, value)
        return value.to(self._dtype) if isinstance(value, Tensor) else value


def true_precision(name: str) -> NetworkPrecision | None:
    """Return the plugin of a precision that needs it; None for those that are Lightning's own matter."""
    return NetworkPrecision(name) if name in _DTYPES else None
