"""The VQA branch's LightningModule, with a trainer and data in memory."""

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from zoomvqa.data.batch import Batch, VideoBatch
from zoomvqa.losses import build_loss
from zoomvqa.models.base import score_video
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.loss import loss_settings
from zoomvqa.settings.shared import Optimiser
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.training.module import QualityModule
from zoomvqa.views import look_of

LOOK = look_of(ClipSampling(clip_len=4), ClipView(resize=-1, grid=2, side=16))
LOSS = loss_settings(name="plcc_rank")


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (*shape, 4, 32, 32, 3), generator=draw, dtype=torch.uint8)


BATCH = Batch({"vqa": pictures(6, 2)}, torch.arange(6.0))
VIDEOS = [VideoBatch({"vqa": pictures(3, seed=i + 1)}, torch.tensor(float(i)), torch.tensor(i)) for i in range(3)]


def module(**optimiser) -> QualityModule:
    torch.manual_seed(0)
    net = build_vqa_net(VQANetwork(backbone="swin_nano", patch=4, dropout=0.0), 4, 32)
    settings = {"lr": 1e-3, "backbone_lr_factor": 1.0, "ema_decay": 0.5} | optimiser
    return QualityModule(net, {"vqa": LOOK}, LOSS, Optimiser(**settings), {"format": 1})


def fit(trained: QualityModule, epochs: int) -> lightning.Trainer:
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(trained, DataLoader([BATCH], batch_size=None), DataLoader(VIDEOS, batch_size=None))
    return trainer


def test_training_brings_the_loss_down():
    trained = module(ema_decay=None)
    loss = build_loss(LOSS)

    def now() -> float:
        net = trained.net.eval()
        scores = net(LOOK.view.to_network(BATCH.inputs["vqa"].flatten(0, 1))).score.view(6, 2).mean(1)
        return float(loss(scores, BATCH.mos))

    before = now()
    fit(trained, 30)
    assert now() < 0.5 * before


def test_both_weights_are_validated_on_whole_videos():
    trained = module()
    trainer = fit(trained, 3)
    logged = trainer.logged_metrics
    assert logged["val/selection"] == max(logged["val_raw/selection"], logged["val_ema/selection"])
    index, prediction, mos = trained.table
    assert (index.tolist(), mos.tolist()) == ([0, 1, 2], [0.0, 1.0, 2.0])
    net = {"net": trained.net, "averaged": trained.averaged.module}[trained.better].eval()
    with torch.inference_mode():
        expected = [score_video(net, v.inputs["vqa"], LOOK.view.to_network, 1).mean() for v in VIDEOS]
    torch.testing.assert_close(prediction, torch.stack(expected))


@pytest.mark.parametrize("ramp", [False, True])
def test_the_average_follows_the_weights_from_those_it_starts_with(ramp):
    trained = module(ema_decay=0.7, ema_ramp=ramp)
    name = "vqa_head.fc_last.weight"
    seen = [trained.net.state_dict()[name].clone()]
    step = trained.optimizer_step

    def watched(*args, **kwargs):
        step(*args, **kwargs)
        seen.append(trained.net.state_dict()[name].clone())

    trained.optimizer_step = watched
    fit(trained, 3)
    expected = seen[0]
    for done, value in enumerate(seen[1:]):
        decay = min(0.7, (1 + done) / (2 + done)) if ramp else 0.7
        expected = decay * expected + (1 - decay) * value
    torch.testing.assert_close(trained.averaged.module.state_dict()[name], expected)
    assert not any(p.requires_grad for p in trained.averaged.parameters())


def test_rates_and_warm_up():
    trainer = fit(module(lr=1e-3, backbone_lr_factor=0.1, warmup_epochs=2.0), 4)
    groups = {g["name"]: g["initial_lr"] for g in trainer.optimizers[0].param_groups}
    assert groups == {"backbone": pytest.approx(1e-4), "heads": pytest.approx(1e-3)}
    heads = trainer.optimizers[0].param_groups[1]["params"]
    assert len(heads) == 4


def test_checkpoint_says_which_weights_were_better(tmp_path):
    trained = module()
    fit(trained, 1).save_checkpoint(tmp_path / "a.ckpt")
    saved = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert saved["zoomvqa"]["weights"] in {"net", "averaged"}
    assert {k.split(".")[0] for k in saved["state_dict"]} == {"net", "averaged"}
