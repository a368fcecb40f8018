import json
from pathlib import Path

import pytest
import torch
from torch import nn

from zoomvqa.settings.shared import Optimiser
from zoomvqa.training.schedule import build_optimiser, cosine_factor, parameter_groups

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "schedule.json").read_text())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Linear(2, 2)
        self.head_score = nn.Linear(2, 1)
        self.frozen = nn.Parameter(torch.zeros(1), requires_grad=False)


def test_the_release_s_factors():
    got = [cosine_factor(i, total=46 * 30, warmup=2.5 * 46) for i in GOLDEN["iterations"]]
    assert got == pytest.approx(GOLDEN["factor"], abs=1e-8)


def test_without_warm_up_it_is_pytorch_s_cosine():
    parameter = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=1.0)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=50)
    for iteration in range(51):
        assert cosine_factor(iteration, 50) == pytest.approx(reference.get_last_lr()[0], abs=1e-9)
        optimiser.step()
        reference.step()


def test_groups():
    backbone, heads = parameter_groups(Net(), Optimiser(lr=1.0, backbone_lr_factor=0.2))
    assert (len(backbone["params"]), backbone["lr"]) == (2, pytest.approx(0.2))
    assert (len(heads["params"]), heads["lr"]) == (2, 1.0)


def test_warm_up_is_counted_in_epochs():
    optimiser, schedule = build_optimiser(Net(), Optimiser(lr=1.0, warmup_epochs=2.0), total=100, epochs=10)
    assert schedule.get_last_lr() == [0.0, 0.0]
    for _ in range(20):
        optimiser.step()
        schedule.step()
    assert schedule.get_last_lr()[1] == pytest.approx(1.0)
