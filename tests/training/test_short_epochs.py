"""Epochs of fewer batches."""

from types import SimpleNamespace

import pytest

from zoomvqa.data.resumable import ResumableLoader, ResumableOrder
from zoomvqa.errors import SettingsError
from zoomvqa.training.short_epochs import shorten_epochs


class Order(ResumableOrder[int]):
    def batches(self):
        return [10 * self._epoch + number for number in range(5)]

    def __len__(self):
        return 5


class Data:
    """Stands in for a datamodule."""

    def __init__(self):
        progress = SimpleNamespace(current=SimpleNamespace(ready=0))
        self.trainer = SimpleNamespace(current_epoch=0, fit_loop=SimpleNamespace())
        self.trainer.fit_loop.epoch_loop = SimpleNamespace(batch_progress=progress)

    def train_dataloader(self):
        return ResumableLoader(self.trainer, Order(), dataset=list(range(100)))

    def at(self, epoch: int, batches: int) -> None:
        self.trainer.current_epoch = epoch
        self.trainer.fit_loop.epoch_loop.batch_progress.current.ready = batches


def short(limit) -> tuple[Data, object]:
    data = Data()
    shorten_epochs(data, limit)
    return data, data.train_dataloader()


@pytest.mark.parametrize(("limit", "count"), [(None, 5), (3, 3), (9, 5), (0.5, 2), (1.0, 5)])
def test_how_many_batches(limit, count):
    _, loader = short(limit)
    assert len(loader) == count
    assert list(loader) == list(range(count))


def test_each_epoch_has_batches_of_its_own():
    _, loader = short(2)
    loader.sampler.set_epoch(3)
    assert list(loader) == [30, 31]


def test_the_end_of_a_short_epoch_is_an_end():
    data, loader = short(3)
    data.at(1, 3)
    assert loader.state_dict() == {"epoch": 2, "batches": 0}
    data.at(1, 2)
    state = loader.state_dict()
    assert state == {"epoch": 1, "batches": 2}
    _, again = short(3)
    again.load_state_dict(state)
    assert list(again) == [12]
    assert list(again) == [10, 11, 12]  # only the epoch that was stopped begins later


def test_a_share_of_none():
    with pytest.raises(SettingsError, match="limit_train_batches: got 0.1, expected a larger share: .* 5 batches"):
        short(0.1)
