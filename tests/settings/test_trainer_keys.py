"""Arguments of Lightning's Trainer beside the typed ones."""

import pytest
from usual import USUAL

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import check
from zoomvqa.settings.commands import TrainerSettings
from zoomvqa.settings.trainer_keys import REFUSED, further_keys, parameters


def refused(extra: dict) -> str:
    with pytest.raises(SettingsError) as told:
        check(TrainerSettings, USUAL | extra, prefix="trainer")
    assert "\n" not in str(told.value)
    return str(told.value)


def test_every_argument_is_typed_taken_or_refused():
    typed = set(TrainerSettings.model_fields)
    assert typed <= set(parameters())
    assert set(REFUSED) <= set(parameters())
    assert not typed & set(REFUSED)
    assert typed | set(REFUSED) | set(further_keys(typed)) == set(parameters())


@pytest.mark.parametrize("key", sorted(REFUSED))
def test_refused_with_a_reason(key):
    assert refused({key: 1}) == f"trainer.{key}: got 1, expected {REFUSED[key]}"


def test_further_arguments_are_kept():
    extra = {
        "detect_anomaly": True,
        "gradient_clip_algorithm": "value",
        "benchmark": None,
        "inference_mode": False,
    }
    settings = check(TrainerSettings, USUAL | extra)
    assert extra.items() <= settings.model_dump(mode="json").items()
    assert check(TrainerSettings, settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("limit_trian_batches", "limit_train_batches"),
        ("gradient_clip_value", "gradient_clip_val"),
        ("max_step", "max_steps"),
        ("detect_anomalies", "detect_anomaly"),
    ],
)
def test_unknown_names_have_a_nearest(given, near):
    told = refused({given: 3})
    assert told.startswith(f"trainer.{given}: unknown key (did you mean '{near}'?); known here: accelerator, ")
    assert "inference_mode" in told
    assert "use_distributed_sampler" not in told


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"detect_anomaly": "yes"}, "trainer.detect_anomaly: got 'yes', expected a valid boolean"),
        ({"gradient_clip_algorithm": 3}, "trainer.gradient_clip_algorithm: got 3, expected a valid string"),
        ({"enable_progress_bar": []}, "trainer.enable_progress_bar: got [], expected a valid boolean"),
    ],
)
def test_values_of_another_kind(extra, told):
    assert refused(extra) == told


@pytest.mark.parametrize("value", [1, 20, 0.1, 1.0, None])
@pytest.mark.parametrize("key", ["limit_train_batches", "limit_val_batches"])
def test_limits(key, value):
    kept = getattr(check(TrainerSettings, USUAL | {key: value}), key)
    assert (type(kept), kept) == (type(value), value)


@pytest.mark.parametrize("value", [0, -1, 0.0, 1.5, "3", True])
def test_limits_that_are_none(value):
    told = refused({"limit_train_batches": value})
    assert told == (
        f"trainer.limit_train_batches: got {value!r}, expected a number of batches from 1, or a share of them "
        "above 0.0 and up to 1.0"
    )


def test_epochs_that_do_not_fit():
    assert refused({"max_epochs": 10, "check_val_every_n_epoch": 3}) == (
        "trainer.check_val_every_n_epoch: got 3, expected a number that divides max_epochs=10: epochs behind the "
        "last validation would be lost"
    )
    assert (
        refused({"max_epochs": 3, "min_epochs": 4}) == "trainer.min_epochs: got 4, expected max_epochs=3 at most"
    )
    fits = check(TrainerSettings, USUAL | {"max_epochs": 10, "check_val_every_n_epoch": 5, "min_epochs": 10})
    assert (fits.check_val_every_n_epoch, fits.min_epochs) == (5, 10)
