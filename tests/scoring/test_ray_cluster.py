"""How many actors there are, and what is said where there can be none."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.scoring import ray_cluster
from zoomvqa.scoring.ray_cluster import Shares, connected, share_out
from zoomvqa.scoring.ray_engine import _reason, score_with_ray
from zoomvqa.scoring.recipe import ScorerRecipe
from zoomvqa.settings.ray import RaySettings


@pytest.mark.parametrize(
    ("wanted", "device", "cluster", "expected"),
    [
        ({}, "auto", (2, 0, 1), Shares(1, 1, 0, 32)),
        ({}, "auto", (64, 0, 4), Shares(16, 4, 0, 64)),
        ({}, "auto", (64, 4, 3), Shares(60, 4, 1, 240)),
        ({}, "cpu", (64, 4, 1), Shares(16, 1, 0, 64)),
        ({"decoders": 8, "networks": 2, "window": 5}, "cuda", (8, 2, 3), Shares(8, 2, 1, 5)),
        ({}, "auto", (3, 0, 9), Shares(1, 2, 0, 32)),
    ],
)
def test_shares(wanted, device, cluster, expected):
    assert share_out(RaySettings(**wanted), device, *cluster) == expected


@pytest.mark.parametrize(
    ("wanted", "device", "cluster", "message"),
    [
        ({"networks": 3}, "auto", (8, 2, 1), "ray.networks: got 3, expected at most 2, the cluster's GPUs"),
        ({}, "cuda", (8, 0, 1), "ray.networks: got 1, expected at most 0, the cluster's GPUs"),
        (
            {"networks": 4},
            "cpu",
            (4, 2, 1),
            "ray.networks: got 4 on CPUs, expected fewer than the cluster's 4; decoders need one",
        ),
        ({"decoders": 9}, "auto", (8, 2, 1), "ray.decoders: got 9, expected at most 8, the CPUs that are free"),
    ],
)
def test_more_than_there_is(wanted, device, cluster, message):
    with pytest.raises(SettingsError) as error:
        share_out(RaySettings(**wanted), device, *cluster)
    assert str(error.value) == message


def test_without_the_package(checkpoint, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToolError) as error:
        score_with_ray(ScorerRecipe(checkpoint, "cpu"), [], wanted=RaySettings(), patience=1)
    assert str(error.value) == "engine: Ray needs ray; pip install 'zoomvqa[ray]'"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no.such.host.invalid:6379"])
def test_no_cluster_at_the_address(address):
    pytest.importorskip("ray", reason="engine=ray is an optional extra: pip install 'zoomvqa[ray]'")
    with pytest.raises(ToolError) as error, connected(RaySettings(address=address)):
        pass
    assert str(error.value).startswith(f"ray.address: no cluster answers at {address} (")
    assert "\n" not in str(error.value)


def test_what_is_told_of_an_error():
    inner = "Traceback:\n  File x\nzoomvqa.errors.SettingsError: device: 'mps' cannot be used here\n\n"
    assert _reason(RuntimeError(inner)) == "device: 'mps' cannot be used here"
    assert _reason(RuntimeError("word " * 100)) == "word " * 40 + "…"
    assert _reason(RuntimeError()) == "RuntimeError"


@pytest.mark.parametrize("quiet", [False, True])
def test_standard_error_is_the_caller_s(monkeypatch, quiet):
    """Only a command, which is asked to be quiet, sends it elsewhere, and while Ray starts."""
    seen = []
    ray = SimpleNamespace(
        is_initialized=lambda: False, init=lambda *_, **__: seen.append(place()), shutdown=lambda: None
    )

    def place() -> tuple[int, int]:
        return os.fstat(2).st_dev, os.fstat(2).st_ino

    monkeypatch.setattr(ray_cluster, "ray_package", lambda **_: ray)
    nothing = Path(os.devnull).stat()
    before, null = place(), (nothing.st_dev, nothing.st_ino)
    with connected(RaySettings(), quiet=quiet):
        assert place() == before
    assert seen == [null if quiet else before]


def test_what_ray_says_is_the_caller_s(monkeypatch):
    pytest.importorskip("ray", reason="engine=ray is an optional extra: pip install 'zoomvqa[ray]'")
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_BACKEND_LOG_LEVEL", "RAY_DEDUP_LOGS_SKIP_REGEX"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    ray_cluster.ray_package()
    assert "RAY_BACKEND_LOG_LEVEL" not in os.environ
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    ray_cluster.ray_package(quiet=True)
    assert os.environ["RAY_BACKEND_LOG_LEVEL"] == "fatal"
