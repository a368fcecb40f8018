"""The LightningModule, with a trainer and data in memory."""

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from zoomvqa.data.batch import Batch, VideoBatch
from zoomvqa.models.base import score_video
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.settings.branch import Mixing
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.loss import loss_settings
from zoomvqa.settings.shared import Optimiser
from zoomvqa.training.module import QualityModule
from zoomvqa.views import look_of

LOOK = look_of(FrameSampling(), FrameView(resize=64, crop=64))
NETWORK = IQANetwork(backbone="test_efficientnet", hidden=16)


def module(**changes) -> QualityModule:
    torch.manual_seed(0)
    settings = {
        "loss": loss_settings(),
        "mixing": Mixing(),
        "optimiser": Optimiser(),
        "description": {"format": 1},
    }
    return QualityModule(build_iqa_net(NETWORK, 64), {"iqa": LOOK}, **(settings | changes))


def batch(size: int = 6) -> Batch:
    draw = torch.Generator().manual_seed(1)
    crops = torch.randn(size, 3, 64, 64, generator=draw)
    return Batch({"iqa": crops[:, None, None, None]}, torch.rand(size, generator=draw) * 5)


def videos(count: int = 3) -> list[VideoBatch]:
    draw = torch.Generator().manual_seed(2)
    return [
        VideoBatch(
            {"iqa": torch.randn(4, 1, 1, 3, 64, 64, generator=draw)}, torch.tensor(float(i)), torch.tensor(i)
        )
        for i in range(count)
    ]


def fit(trained: QualityModule, epochs: int, **options) -> lightning.Trainer:
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, **options,
    )  # fmt: skip
    train = DataLoader([batch()], batch_size=None)
    trainer.fit(trained, train, DataLoader(videos(), batch_size=None))
    return trainer


def test_training_brings_the_loss_down():
    trained = module(optimiser=Optimiser(lr=1e-2, backbone_lr_factor=1.0))
    before = torch.nn.functional.smooth_l1_loss(
        trained.net.eval()(batch().inputs["iqa"].flatten(0, 3)).score, batch().mos
    )
    fit(trained, 30)
    after = torch.nn.functional.smooth_l1_loss(
        trained.net.eval()(batch().inputs["iqa"].flatten(0, 3)).score, batch().mos
    )
    assert after < 0.5 * before


def test_validation_scores_whole_videos():
    trained = module()
    fit(trained, 1)
    index, prediction, mos = trained.table
    assert index.tolist() == [0, 1, 2]
    assert mos.tolist() == [0.0, 1.0, 2.0]
    with torch.inference_mode():
        net, to_network = trained.net.eval(), LOOK.view.to_network
        expected = [score_video(net, v.inputs["iqa"], to_network, 8).mean() for v in videos()]
    torch.testing.assert_close(prediction, torch.stack(expected))
    assert trained.figures.videos == 3


def test_rates_of_the_two_groups():
    trainer = fit(module(optimiser=Optimiser(lr=1e-3, backbone_lr_factor=0.2)), 1)
    groups = {g["name"]: g["initial_lr"] for g in trainer.optimizers[0].param_groups}
    assert groups == {"backbone": pytest.approx(2e-4), "heads": pytest.approx(1e-3)}
    # after the last of all iterations the cosine has arrived at 0
    assert [g["lr"] for g in trainer.optimizers[0].param_groups] == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("mixing", [Mixing(mixup=0.4), Mixing(cutmix=1.0), Mixing(mixup=0.4, cutmix=1.0)])
def test_mixing_trains(mixing):
    trained = module(mixing=mixing)
    start = [p.clone() for p in trained.net.parameters()]
    fit(trained, 2)
    assert any(not torch.equal(a, b) for a, b in zip(start, trained.net.parameters(), strict=True))


def test_precision_bf16():
    trained = module()
    fit(trained, 1, precision="bf16-mixed")
    assert trained.table[1].dtype == torch.float32


def test_checkpoint_carries_the_description_and_the_figures(tmp_path):
    trained = module(description={"format": 1, "branch": "iqa"})
    trainer = fit(trained, 1)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    saved = torch.load(tmp_path / "a.ckpt", weights_only=True)["zoomvqa"]
    assert saved["branch"] == "iqa"
    assert saved["figures"]["videos"] == 3
