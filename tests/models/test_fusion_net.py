"""Both branches as one network, and its fine-tuning."""

import lightning
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from zoomvqa.calibration import fit_fusion
from zoomvqa.data.batch import PairBatch, VideoPair
from zoomvqa.data.normalise import normalise
from zoomvqa.models.fusion.module import FusionModule
from zoomvqa.models.fusion.net import FusionNet, score_video
from zoomvqa.models.iqa.net import build_iqa_net, score_views
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.net import score_clips
from zoomvqa.settings.iqa import IQANetwork
from zoomvqa.settings.shared import LossSettings, Optimiser
from zoomvqa.settings.vqa import ClipView, VQANetwork

VIEW = ClipView(resize=-1, grid=2, side=16)


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (*shape, 4, 32, 32, 3), generator=draw, dtype=torch.uint8)


def views(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def net() -> FusionNet:
    torch.manual_seed(0)
    iqa = build_iqa_net(IQANetwork(backbone="test_efficientnet", hidden=16, dropout=0.0), 64)
    vqa = build_vqa_net(VQANetwork(backbone="swin_nano", patch=4, dropout=0.0), 4, 32)
    mos = np.linspace(1, 5, 9)
    return FusionNet(iqa, vqa, fit_fusion(mos / 20, mos / 50 - 0.05, mos, (1.0, 5.0), "val"))


@torch.inference_mode()
def test_the_score_is_that_of_both_branches():
    both = net().eval()
    frames, clips = views(2, 3), torch.stack([normalise(c, VIEW) for c in pictures(2, 2)])
    found = both(frames, clips)
    for i in range(2):
        iqa, vqa = score_views(both.iqa, frames[i][:, None]).mean(), score_clips(both.vqa, clips[i]).mean()
        assert float(found.iqa[i]) == pytest.approx(float(iqa), abs=1e-5)
        assert float(found.vqa[i]) == pytest.approx(float(vqa), abs=1e-5)
        assert float(found.score[i]) == pytest.approx(float(both.scale.fused(iqa, vqa)), abs=1e-4)
        assert float(score_video(both, frames[i][:, None], list(clips[i])).score) == pytest.approx(
            float(found.score[i]), abs=1e-4
        )


def test_fine_tuning_trains_both_branches_and_validates_whole_videos():
    trained = FusionModule(
        net(),
        VIEW,
        LossSettings(name="smooth_l1"),
        Optimiser(lr=3e-4, backbone_lr_factor=1.0),
        {"branch": "fusion", "mos_range": (1.0, 5.0)},
    )
    before = {k: v.clone() for k, v in trained.net.state_dict().items()}
    batch = PairBatch(views(6, 2), pictures(6, 1), torch.linspace(1.5, 4.5, 6))

    def loss() -> float:
        trained.net.eval()
        with torch.no_grad():
            return float((trained.net(batch.views, normalise(batch.clips, VIEW)).score - batch.mos).abs().mean())

    first = loss()
    trained.net.train()
    videos = [
        VideoPair(views(2, 1, seed=i), pictures(2, seed=i), torch.tensor(float(i)), torch.tensor(i))
        for i in range(3)
    ]
    trainer = lightning.Trainer(
        max_epochs=40, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(trained, DataLoader([batch], batch_size=None), DataLoader(videos, batch_size=None))
    assert loss() < 0.5 * first
    for branch in ("iqa", "vqa"):
        moved = [
            k
            for k, v in trained.net.state_dict().items()
            if k.startswith(branch) and not torch.equal(v, before[k])
        ]
        assert any("backbone" in k for k in moved)
        assert any("head" in k for k in moved)
    assert trained.figures.videos == 3
    with torch.inference_mode():
        again = [float(trained.score(trained.net.eval(), v)) for v in videos]
    assert trained.table[1].tolist() == pytest.approx(again, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"views": views(2)}, "views: expected .batch, frames, 3"),
        ({"clips": pictures(2, 1).float()}, "clips: expected .* uint8"),
        ({"mos": torch.zeros(3)}, "mos: expected .2,., got .3,."),
    ],
)
def test_batches_say_what_was_expected(change, message):
    good = {"views": views(2, 1), "clips": pictures(2, 1), "mos": torch.zeros(2)}
    PairBatch(**good)
    with pytest.raises(ValueError, match=message):
        PairBatch(**(good | change))
