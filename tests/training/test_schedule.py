import json
from pathlib import Path

import pytest
import torch
from torch import nn

from zoomvqa.calibration import BranchScale, FusionScale, Logistic
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.iqa import IQANetwork
from zoomvqa.settings.shared import Optimiser
from zoomvqa.settings.vqa import VQANetwork
from zoomvqa.training.schedule import build_optimiser, cosine_factor, parameter_groups

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "schedule.json").read_text())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Linear(2, 2)
        self.head_score = nn.Linear(2, 1)
        self.frozen = nn.Parameter(torch.zeros(1), requires_grad=False)

    @property
    def backbones(self):
        return (self.backbone,)


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


def networks():
    """A network of each branch: of the IQA branch also one whose backbone has parameters named `head`."""
    torch.manual_seed(0)
    iqa = build_iqa_net(IQANetwork(hidden=16), 64)
    vqa = build_vqa_net(VQANetwork(backbone="swin_nano", patch=4), 4, 64)
    named = build_iqa_net(IQANetwork(backbone="efficientformerv2_s0", hidden=16), 224)
    flat = build_vqa_net(VQANetwork(backbone="convnext3d_tiny", patch=4), 4, 64)
    line = Logistic(low=0.0, high=1.0, centre=0.0, width=1.0)
    own = BranchScale(mean=0.0, std=1.0, logistic=line)
    scale = FusionScale(
        branches={"iqa": own, "vqa": own}, weights={"iqa": 0.5, "vqa": 0.5}, logistic=line, split="val", videos=3
    )
    return {
        "iqa": iqa,
        "vqa": vqa,
        "heads in the backbone": named,
        "3d": flat,
        "fusion": FusionNet({"iqa": named, "vqa": vqa}, scale),
    }


def test_every_parameter_is_in_one_group_that_of_its_module():
    for name, net in networks().items():
        backbone, heads = parameter_groups(net, Optimiser(lr=1.0, backbone_lr_factor=0.2))
        inside = [id(p) for part in net.backbones for p in part.parameters()]
        assert sorted(id(p) for p in backbone["params"]) == sorted(inside), name
        both = [id(p) for p in (*backbone["params"], *heads["params"])]
        assert sorted(both) == sorted(id(p) for p in net.parameters()), name
        own = {n for n, p in net.named_parameters() if id(p) in {id(h) for h in heads["params"]}}
        assert own
        assert all(n.removeprefix("iqa.").removeprefix("vqa.").startswith(("head_", "vqa_head.")) for n in own)


def test_groups_of_the_published_networks_are_those_of_their_names():
    """The release and FAST-VQA go by `head` and `backbone` in names; a resumed run needs the order."""
    nets = networks()
    for name in ("iqa", "vqa", "3d"):
        net = nets[name]
        backbone, heads = parameter_groups(net, Optimiser())
        assert [id(p) for p in backbone["params"]] == [id(p) for n, p in net.named_parameters() if "head" not in n]
        assert [id(p) for p in heads["params"]] == [id(p) for n, p in net.named_parameters() if "head" in n]


def test_a_network_that_tells_no_backbone():
    with pytest.raises(TypeError, match="Linear has no property `backbones`"):
        parameter_groups(nn.Linear(2, 2), Optimiser())


def test_warm_up_is_a_whole_number_of_iterations():
    """As in FAST-VQA: of 2.5 epochs of 53 iterations, 132."""
    _, schedule = build_optimiser(Net(), Optimiser(lr=1.0, warmup_epochs=2.5), total=53 * 30, epochs=30)
    factor = schedule.lr_lambdas[1]
    assert factor(131) == pytest.approx(131 / 132)
    assert factor(132) == 1.0


def test_warm_up_is_counted_in_epochs():
    optimiser, schedule = build_optimiser(Net(), Optimiser(lr=1.0, warmup_epochs=2.0), total=100, epochs=10)
    assert schedule.get_last_lr() == [0.0, 0.0]
    for _ in range(20):
        optimiser.step()
        schedule.step()
    assert schedule.get_last_lr()[1] == pytest.approx(1.0)
