"""What `trainer` may say."""

import pytest
from usual import USUAL

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import check
from zoomvqa.settings.commands import TrainerSettings


@pytest.mark.parametrize(
    ("devices", "alone"),
    [(1, True), ([0], True), ([3], True), ([0, 1], False), (-1, False), ("auto", False), (2, False)],
)
def test_devices_are_what_lightning_takes(devices, alone):
    settings = check(TrainerSettings, USUAL | {"devices": devices})
    assert (settings.devices, settings.one_process) == (devices, alone)


@pytest.mark.parametrize("devices", [0, -2, [], [0, 0], [-1], "all"])
def test_devices_that_are_none(devices):
    with pytest.raises(SettingsError, match=r"devices.*: got"):
        check(TrainerSettings, USUAL | {"devices": devices})


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("bf16-mixed", "bf16-mixed"),
        (32, "32-true"),
        ("bf16", "bf16-mixed"),
        ("16", "16-mixed"),
        (64, "64-true"),
        ("bf16-true", "bf16-true"),
        ("16-true", "16-true"),
    ],
)
def test_precisions(given, taken):
    assert check(TrainerSettings, USUAL | {"precision": given}).precision == taken


def test_precisions_that_are_none():
    with pytest.raises(SettingsError, match="precision: got 'bf8-true', expected '32-true', 'bf16-mixed'"):
        check(TrainerSettings, USUAL | {"precision": "bf8-true"})
