"""Lightning's Trainer as the settings want it."""

import pytest
from lightning.pytorch.callbacks import Timer, TQDMProgressBar
from usual import USUAL

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import check
from zoomvqa.settings.trainer import TrainerSettings
from zoomvqa.training.trainer import build_trainer


def built(tmp_path, extra, callbacks=(), *, validate_last=False):
    settings = check(TrainerSettings, USUAL | {"accelerator": "cpu", "max_epochs": 4} | extra)
    return build_trainer(settings, [], list(callbacks), tmp_path, validate_last=validate_last)


def test_what_is_given_arrives(tmp_path):
    trainer = built(tmp_path, {"gradient_clip_algorithm": "value", "detect_anomaly": True, "limit_val_batches": 3})
    assert trainer.gradient_clip_algorithm == "value"
    assert trainer._detect_anomaly
    assert (trainer.limit_val_batches, trainer.check_val_every_n_epoch) == (3, 1)


def test_short_epochs_are_not_lightnings(tmp_path):
    assert built(tmp_path, {"limit_train_batches": 0.5}).limit_train_batches == 1.0


def test_folds_validate_everything_once(tmp_path):
    trainer = built(tmp_path, {"limit_val_batches": 3, "check_val_every_n_epoch": 2}, validate_last=True)
    assert (trainer.limit_val_batches, trainer.check_val_every_n_epoch) == (1.0, 4)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"strategy": "fsdp"}, "trainer: "),
        ({"strategy": "ddq"}, "trainer: .*ddq"),
        ({"gradient_clip_algorithm": "nrom"}, "trainer: .*nrom"),
        ({"devices": [0]}, "trainer: "),
        ({"sync_batchnorm": True}, "trainer.sync_batchnorm: got true without a GPU, expected false"),
    ],
)
def test_what_lightning_refuses_is_one_line(tmp_path, extra, message):
    with pytest.raises(SettingsError, match=message) as told:
        built(tmp_path, extra)
    assert "\n" not in str(told.value)


def test_two_callbacks_of_one_name(tmp_path):
    with pytest.raises(SettingsError, match="trainer: "):
        built(tmp_path, {}, [Timer(), Timer()])


def test_a_bar_beside_no_bar(tmp_path):
    with pytest.raises(SettingsError, match="trainer: .*enable_progress_bar=False"):
        built(tmp_path, {"enable_progress_bar": False}, [TQDMProgressBar()])
