"""What of Lightning may be gone one day."""

from types import SimpleNamespace

import pytest

from zoomvqa.data.resumable import ResumableLoader, ResumableOrder
from zoomvqa.internals.lightning_private import batches_done, was_interrupted


class Order(ResumableOrder[list[int]]):
    def batches(self):
        return [[number] for number in range(7)]

    def __len__(self) -> int:
        return 7


def trainer(steps: int, together: int, epoch: int, ready: int | None = None) -> SimpleNamespace:
    made = SimpleNamespace(
        num_training_batches=7, accumulate_grad_batches=together, global_step=steps, current_epoch=epoch
    )
    if ready is not None:
        progress = SimpleNamespace(current=SimpleNamespace(ready=ready))
        made.fit_loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    return made


@pytest.mark.parametrize(
    ("steps", "together", "epoch", "done"),
    [
        (0, 1, 0, 0),
        (3, 1, 0, 3),
        (7, 1, 0, 7),
        (10, 1, 1, 3),
        (2, 3, 0, 6),
        (3, 3, 0, 7),
        (5, 3, 1, 6),
        (6, 3, 1, 7),
    ],
)
def test_without_the_loops_counter_steps_are_counted(steps, together, epoch, done):
    assert batches_done(trainer(steps, together, epoch)) == done
    assert batches_done(trainer(steps, together, epoch, ready=5)) == 5


def test_a_loader_s_state_is_the_same_without_it():
    for steps in range(15):
        epoch, inside = divmod(steps, 7)
        states = [
            ResumableLoader(made, Order(), dataset=range(7)).state_dict()
            for made in (trainer(steps, 1, epoch), trainer(steps, 1, epoch, ready=inside))
        ]
        assert states[0] == states[1]


def test_an_interruption_that_is_not_marked_is_an_end():
    assert was_interrupted(SimpleNamespace(interrupted=True))
    assert not was_interrupted(SimpleNamespace(interrupted=False))
    assert not was_interrupted(SimpleNamespace())


@pytest.mark.slow
def test_the_counter_is_lightning_s(tmp_path):
    """Both ways tell the same in a training of this Lightning, and hooks are given the same number."""
    import lightning
    import torch
    from lightning.pytorch.callbacks import Callback

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch):
            return self.layer(batch).mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    seen = []

    class Look(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            bare = SimpleNamespace(
                **{n: getattr(trainer, n) for n in ("num_training_batches", "accumulate_grad_batches")},
                **{n: getattr(trainer, n) for n in ("global_step", "current_epoch")},
            )
            seen.append((batches_done(trainer), batch_idx + 1, batches_done(bare)))

    loader = torch.utils.data.DataLoader(torch.zeros(5, 1), batch_size=1)
    fitted = lightning.Trainer(
        accelerator="cpu", max_epochs=2, accumulate_grad_batches=2, callbacks=[Look()], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path,
    )  # fmt: skip
    fitted.fit(Module(), loader)
    assert seen == [(1, 1, 0), (2, 2, 2), (3, 3, 2), (4, 4, 4), (5, 5, 5)] * 2
