"""Losses over the batches of all processes: two processes train as one with the whole batch."""

from pathlib import Path

import lightning
import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data import DataLoader

from zoomvqa.data.batch import Batch
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.loss import LossSettings, loss_settings
from zoomvqa.settings.shared import Optimiser
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.training.module import QualityModule
from zoomvqa.views import look_of

pytestmark = pytest.mark.slow


class Noting(QualityModule):
    """Writes the gradients that the optimiser would use."""

    folder: Path

    def on_before_optimizer_step(self, optimizer) -> None:
        if self.trainer.is_global_zero:
            torch.save({n: p.grad for n, p in self.net.named_parameters()}, self.folder / "gradients.pt")

    def train_dataloader(self) -> DataLoader:
        draw = torch.Generator().manual_seed(0)
        clips = torch.randint(0, 256, (16, 1, 4, 32, 32, 3), generator=draw, dtype=torch.uint8)
        mos = torch.rand(16, generator=draw) * 80
        rank, world = self.trainer.global_rank, self.trainer.world_size
        return DataLoader([Batch({"vqa": clips[rank::world]}, mos[rank::world])], batch_size=None)


def gradients(folder: Path, processes: int, loss: LossSettings) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    net = build_vqa_net(VQANetwork(backbone="swin_nano", patch=4, dropout=0.0, drop_path=0.0), 4, 32)
    look = look_of(ClipSampling(clip_len=4), ClipView(resize=-1, grid=2, side=16))
    module = Noting(net, {"vqa": look}, loss, Optimiser(), {})
    module.folder = folder
    strategy = DDPStrategy(start_method="spawn") if processes > 1 else "auto"
    trainer = lightning.Trainer(
        max_steps=1, accelerator="cpu", devices=processes, strategy=strategy, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(module)
    return torch.load(folder / "gradients.pt", weights_only=True)


@pytest.mark.parametrize(
    "loss",
    [
        loss_settings(name="plcc_rank", soft_srcc_weight=0.5),
        loss_settings(name="norm_in_norm"),
        loss_settings(name="smooth_l1"),
    ],
    ids=lambda loss: loss.name,
)
def test_two_processes_have_the_gradients_of_one(tmp_path, loss):
    one, two = gradients(tmp_path, 1, loss), gradients(tmp_path, 2, loss)
    assert one.keys() == two.keys()
    largest = max(g.abs().max() for g in one.values())
    for name, gradient in one.items():
        # The last bias is a sum that cancels: losses without a scale do not see it, and rounding is all there is.
        bound = 5e-5 if name == "vqa_head.fc_last.bias" else 1e-5
        torch.testing.assert_close(two[name], gradient, atol=float(bound * largest), rtol=0, msg=name)


def test_each_process_for_itself_is_something_else(tmp_path):
    loss = loss_settings(name="plcc_rank", all_processes=False)
    one, two = gradients(tmp_path, 1, loss), gradients(tmp_path, 2, loss)
    largest = max(g.abs().max() for g in one.values())
    assert max(float((two[n] - g).abs().max()) for n, g in one.items()) > 1e-3 * largest
