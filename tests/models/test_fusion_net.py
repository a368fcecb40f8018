"""Several branches as one network, and its fine-tuning."""

import lightning
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from zoomvqa.calibration import fit_fusion
from zoomvqa.data.batch import Batch, VideoBatch
from zoomvqa.models.base import score_video
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.loss import loss_settings
from zoomvqa.settings.shared import Optimiser
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.training.module import QualityModule
from zoomvqa.views import look_of

CLIPS = look_of(ClipSampling(clip_len=4), ClipView(resize=-1, grid=2, side=16))
LOOKS = {"frames_of_it": look_of(FrameSampling(), FrameView(resize=64, crop=64)), "one": CLIPS, "two": CLIPS}


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (*shape, 4, 32, 32, 3), generator=draw, dtype=torch.uint8)


def crops(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, 1, 1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def net() -> FusionNet:
    torch.manual_seed(0)
    iqa = build_iqa_net(IQANetwork(backbone="test_efficientnet", hidden=16, dropout=0.0), 64)
    one, two = (build_vqa_net(VQANetwork(backbone="swin_nano", patch=4, dropout=0.0), 4, 32) for _ in range(2))
    mos = np.linspace(1, 5, 9)
    scores = {"frames_of_it": mos / 20, "one": mos / 50 - 0.05, "two": mos / 40}
    weights = {"frames_of_it": 0.5, "one": 0.3, "two": 0.2}
    return FusionNet(
        {"frames_of_it": iqa, "one": one, "two": two}, fit_fusion(scores, mos, (1.0, 5.0), "val", weights)
    )


def inputs(videos: int, parts: int, seed: int = 0) -> dict[str, torch.Tensor]:
    names = {"frames_of_it": crops, "one": pictures, "two": pictures}
    return {name: make(videos, parts, seed=seed) for name, make in names.items()}


@torch.inference_mode()
def test_the_score_is_that_of_all_branches():
    net_ = net().eval()
    given = inputs(2, 3)
    shown = [look.view.to_network(given[name].flatten(0, 1)).unflatten(0, (2, 3)) for name, look in LOOKS.items()]
    found = net_(*shown)
    for i in range(2):
        own = {
            name: score_video(net_.branches[name], given[name][i], look.view.to_network, 1).mean()
            for name, look in LOOKS.items()
        }
        for name, value in own.items():
            assert float(found.branches[name][i]) == pytest.approx(float(value), abs=1e-5)
        assert float(found.score[i]) == pytest.approx(float(net_.scale.fused(own)), abs=1e-4)


def test_fine_tuning_trains_all_branches_and_validates_whole_videos():
    trained = QualityModule(
        net(),
        LOOKS,
        loss_settings(name="smooth_l1"),
        Optimiser(lr=3e-4, backbone_lr_factor=1.0),
        {"branch": "fusion", "mos_range": (1.0, 5.0)},
    )
    before = {k: v.clone() for k, v in trained.net.state_dict().items()}
    batch = Batch(inputs(6, 2), torch.linspace(1.5, 4.5, 6))
    whole = [
        VideoBatch({n: x[0] for n, x in inputs(1, 2, seed=i).items()}, torch.tensor(float(i)), torch.tensor(i))
        for i in range(6)
    ]

    def loss() -> float:
        trained.net.eval()
        with torch.no_grad():
            shown = [
                look.view.to_network(batch.inputs[name].flatten(0, 1)).unflatten(0, (6, 2))
                for name, look in LOOKS.items()
            ]
            return float((trained.net(*shown).score - batch.mos).abs().mean())

    first = loss()
    trained.net.train()
    trainer = lightning.Trainer(
        max_epochs=40, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(trained, DataLoader([batch], batch_size=None), DataLoader(whole, batch_size=None))
    assert loss() < 0.5 * first
    for branch in LOOKS:
        moved = [
            k
            for k, v in trained.net.state_dict().items()
            if k.startswith(f"{branch}.") and not torch.equal(v, before[k])
        ]
        assert any("backbone" in k for k in moved)
        assert any("head" in k for k in moved)
    assert trained.figures.videos == 6
    with torch.inference_mode():
        again = [float(trained.score(trained.net.eval(), v)) for v in whole]
    assert trained.table[1].tolist() == pytest.approx(again, abs=1e-5)
    assert set(trained.description["scale"]["branches"]) == set(LOOKS)


def test_names_that_a_network_has_already():
    torch.manual_seed(0)
    vqa = build_vqa_net(VQANetwork(backbone="swin_nano", patch=4), 4, 32)
    with pytest.raises(ValueError, match="a branch cannot be called 'train'"):
        FusionNet({"train": vqa}, net().scale)
