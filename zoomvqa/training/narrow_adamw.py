"""AdamW for weights in half precision, which neither its moments nor its small steps fit in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.adamw import adamw


class NarrowAdamW(AdamW):
    """AdamW (arXiv 1711.05101) that keeps its moments, and computes a step, in float32 for weights of any dtype.

    In bfloat16 the second moment would never decrease, and in float16 it would be 0 and divide by 0. A step that
    is small beside a weight, as most are, is lost where the weight is rounded to the nearest number: weights are
    rounded up or down at random, with odds that give their mean (arXiv 1502.02551). What is drawn depends on the
    number of the step alone, so that all processes, and a run that goes on, draw the same.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step, with the gradients that `closure` computes where it is given; return what it returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for number, group in enumerate(self.param_groups):
            self._step_group(group, number)
        return loss

    def _step_group(self, group: dict[str, Any], number: int) -> None:
        trained = [p for p in group["params"] if p.grad is not None]
        if not trained:
            return
        states = [self._state(p) for p in trained]
        wide = [p.float() if p.dtype != torch.float32 else p.clone() for p in trained]
        adamw(
            wide,
            [p.grad.float() for p in trained],
            [s["exp_avg"] for s in states],
            [s["exp_avg_sq"] for s in states],
            [],
            [s["step"] for s in states],
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        draw = torch.Generator(trained[0].device).manual_seed(2 * int(states[0]["step"]) + number)
        for parameter, value in zip(trained, wide, strict=True):
            parameter.copy_(rounded_at_random(value, parameter.dtype, draw))

    def _state(self, parameter: Tensor) -> dict[str, Tensor]:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter, dtype=torch.float32)
            state["exp_avg_sq"] = torch.zeros_like(parameter, dtype=torch.float32)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state; torch's own way would round the moments to the weights' dtype."""
        super().load_state_dict(state_dict)
        numbers = [number for group in state_dict["param_groups"] for number in group["params"]]
        parameters = [p for group in self.param_groups for p in group["params"]]
        for number, parameter in zip(numbers, parameters, strict=True):
            for name in ("exp_avg", "exp_avg_sq"):
                if number in state_dict["state"]:
                    saved = state_dict["state"][number][name]
                    self.state[parameter][name] = saved.to(parameter.device, torch.float32, copy=True)


def rounded_at_random(value: Tensor, dtype: torch.dtype, draw: torch.Generator) -> Tensor:
    """Return float32 numbers in a narrower dtype: each becomes one of its two neighbours, and is their mean.

    Args:
        value: any shape.
        dtype: bfloat16, float16, or float32, where nothing is rounded.
        draw: what is drawn from, on the device of the numbers.
    """
    if dtype == torch.float32:
        return value
    about = torch.finfo(dtype)
    # The distance of the neighbours: frexp's fraction is in 0.5..1, and eps is the distance at 1.
    apart = torch.ldexp(torch.full_like(value, about.eps / 2), torch.frexp(value).exponent)
    apart.clamp_(min=about.smallest_normal * about.eps)
    exact = value / apart
    below = exact.floor()
    drawn = torch.rand(value.shape, generator=draw, device=value.device)
    return below.add_(drawn < exact - below).mul_(apart).to(dtype)
