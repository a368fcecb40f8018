"""A loader that is slow shows."""

import time

import lightning
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from zoomvqa.training.step_times import StepTimes


class Slow(Dataset):
    def __init__(self, pause: float) -> None:
        self.pause = pause

    def __len__(self):
        return 4

    def __getitem__(self, at):
        time.sleep(self.pause)
        return torch.ones(1)


class Net(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen = []

    def training_step(self, batch, _):
        time.sleep(0.06)
        return self.layer(batch).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def log(self, name, value, **_):
        self.seen.append((name, value))


@pytest.mark.parametrize(("pause", "told"), [(0.05, True), (0.0, False)])
def test_waiting_is_told_from_computing(capsys, tmp_path, pause, told):
    net = Net()
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", callbacks=[StepTimes()], logger=False, enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(net, DataLoader(Slow(pause)))
    waits = [value for name, value in net.seen if name == "time/data_wait"]
    steps = [value for name, value in net.seen if name == "time/step"]
    assert len(waits) == len(steps) == 12
    assert min(waits) >= pause
    assert min(steps) >= 0.06
    printed = " ".join(capsys.readouterr().err.split())
    assert (printed.count("of the time went by waiting for data") == 1) == told
