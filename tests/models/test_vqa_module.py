"""The VQA branch's LightningModule, with a trainer and data in memory."""

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from zoomvqa.data.batch import ClipBatch, VideoClips
from zoomvqa.data.normalise import normalise
from zoomvqa.losses import build_loss
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.module import VQAModule
from zoomvqa.models.vqa.net import score_clips
from zoomvqa.settings.shared import LossSettings, Optimiser
from zoomvqa.settings.vqa import ClipView, VQANetwork

VIEW = ClipView(resize=-1, grid=2, side=16)
LOSS = LossSettings(name="plcc_rank")


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (*shape, 4, 32, 32, 3), generator=draw, dtype=torch.uint8)


BATCH = ClipBatch(pictures(6, 2), torch.arange(6.0))
VIDEOS = [VideoClips(pictures(3, seed=i + 1), torch.tensor(float(i)), torch.tensor(i)) for i in range(3)]


def module(**optimiser) -> VQAModule:
    torch.manual_seed(0)
    net = build_vqa_net(VQANetwork(backbone="swin_nano", patch=4, dropout=0.0), 4, 32)
    settings = {"lr": 1e-3, "backbone_lr_factor": 1.0, "ema_decay": 0.5} | optimiser
    return VQAModule(net, VIEW, LOSS, Optimiser(**settings), {"format": 1})


def fit(trained: VQAModule, epochs: int) -> lightning.Trainer:
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
        scores = net(normalise(BATCH.clips.flatten(0, 1), VIEW)).score.view(6, 2).mean(1)
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
        expected = [score_clips(net, [normalise(c, VIEW) for c in v.clips]).mean() for v in VIDEOS]
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


@pytest.mark.parametrize("bad", [torch.zeros(2, 1, 4, 8, 8, 3), torch.zeros(2, 4, 8, 8, 3, dtype=torch.uint8)])
def test_batches_of_another_form(bad):
    with pytest.raises(ValueError, match="clips: expected"):
        ClipBatch(bad, torch.zeros(2))
    with pytest.raises(ValueError, match="clips: expected"):
        VideoClips(bad.float(), torch.tensor(1.0), torch.tensor(1))
    with pytest.raises(ValueError, match="mos: expected"):
        ClipBatch(pictures(2, 1), torch.zeros(3))
