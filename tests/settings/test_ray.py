"""Settings of Ray."""

import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.settings.base import check
from zoomvqa.settings.ray import RaySettings


def test_addresses():
    for address in (None, "auto", "10.0.0.1:6379", "head:6379"):
        assert check(RaySettings, {"address": address}).address == address


@pytest.mark.parametrize("address", ["automatic", "ray://head:10001", "head", ":6379", "head:port"])
def test_what_is_no_address(address):
    with pytest.raises(SettingsError) as error:
        check(RaySettings, {"address": address}, prefix="ray")
    assert str(error.value) == (
        f"ray.address: got '{address}', expected null for a Ray of its own, auto, or HOST:PORT of the cluster of "
        f"this machine"
    )
