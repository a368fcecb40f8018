"""A connection to Ray: started quietly, ended as it was found, and how many actors fit on it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.settings.ray import RaySettings

# At least so many videos are in work: Ray Data passes one on in some tenths of a second.
_FEWEST = 32
# Seconds after which a cluster's address is given up.
_KNOCK_S = 10


def ray_package(*, quiet: bool = False) -> Any:
    """Return the package `ray` with Ray Data, which is optional.

    Args:
        quiet: keep Ray's core from writing to standard error, by its environment variables, for this process and
            those that it starts.

    Raises:
        ToolError: it is not there.
    """
    # Read when Ray is imported or started: nothing is reported to its makers, its inner log goes to files, and it
    # does not print workers' errors on standard output: what matters of them reaches us as exceptions.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if quiet:
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".|^$")
    try:
        import pyarrow as pa  # noqa: F401, PLC0415  Ray Data's own extra
        import ray  # noqa: PLC0415  an optional extra
        import ray.data  # noqa: PLC0415
    except ImportError:
        raise ToolError("engine: Ray needs ray; pip install 'zoomvqa[ray]'") from None
    return ray


@contextmanager
def connected(wanted: RaySettings, *, quiet: bool = False) -> Iterator[Any]:
    """Give the package `ray`, connected; a connection that was there before is used and left.

    Args:
        wanted: which cluster.
        quiet: while Ray starts, send the standard error of the whole process to nowhere: for a command, which has
            no other thread that writes there.

    Raises:
        ToolError: Ray is not installed, cannot be started, or no cluster answers at the address.
    """
    ray = ray_package(quiet=quiet)
    _hush()
    if ray.is_initialized():
        yield ray
        return
    options: dict[str, Any] = {"include_dashboard": False} if wanted.address is None else {}
    if wanted.address is None:
        # CPUs are a count to Ray: a small machine takes turns.
        needed = (wanted.decoders or 1) + (wanted.networks or 1)
        options["num_cpus"] = max(os.cpu_count() or 1, needed)
    before = signal.getsignal(signal.SIGTERM)  # Ray sets its own, and leaves it
    try:
        _knock(wanted.address)
        with _silent() if quiet else nullcontext():
            # RAY_ADDRESS would send what is meant for this machine elsewhere: `local` ignores it.
            ray.init(wanted.address or "local", log_to_driver=False, logging_level=logging.CRITICAL, **options)
    except Exception as error:  # noqa: BLE001  whatever it is, it is told in one line
        ray.shutdown()
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if wanted.address is None:
            raise ToolError(f"engine: Ray could not be started on this machine ({reason})") from None
        raise ToolError(
            f"ray.address: no cluster answers at {wanted.address} ({reason}); expected auto or HOST:PORT of one "
            f"that this machine is part of, or null for a Ray of its own"
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _knock(address: str | None) -> None:
    """Refuse an address where nothing listens: Ray itself tries for minutes."""
    if address not in {None, "auto"}:
        host, _, port = str(address).rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


@contextmanager
def _silent() -> Iterator[None]:
    """Drop what is written to standard error: Ray's core says there how it was told to say nothing."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _hush() -> None:
    """Keep Ray Data's own lines from the screen; they are in the files of its session."""
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Shares:
    """How a cluster is shared out.

    Attributes:
        decoders: actors that decode.
        networks: actors that hold the networks.
        gpus: of each network, 0 or 1.
        window: videos in work at a time.
    """

    decoders: int
    networks: int
    gpus: int
    window: int


def share_out(wanted: RaySettings, device: str, cpus: int, gpus: int, machines: int) -> Shares:
    """Return how many actors there are.

    Args:
        wanted: by the user.
        device: of the networks; `auto` is a GPU where the cluster has any.
        cpus: of the cluster.
        gpus: of the cluster.
        machines: of the cluster.

    Raises:
        SettingsError: there are not as many CPUs or GPUs. Ray would wait for them without an end.
    """
    on_gpu = device.startswith("cuda") or (device == "auto" and gpus > 0)
    if on_gpu:
        networks = wanted.networks or max(1, gpus)
        if networks > gpus:
            raise SettingsError(f"ray.networks: got {networks}, expected at most {gpus}, the cluster's GPUs")
        free = cpus
        decoders = wanted.decoders or max(1, cpus - networks)
    else:
        networks = wanted.networks or max(1, min(machines, cpus - 1))
        free = cpus - networks
        decoders = wanted.decoders or max(1, cpus // 4)
    if free < 1:
        raise SettingsError(
            f"ray.networks: got {networks} on CPUs, expected fewer than the cluster's {cpus}; decoders need one"
        )
    if decoders > free:
        raise SettingsError(f"ray.decoders: got {decoders}, expected at most {free}, the CPUs that are free")
    return Shares(decoders, networks, int(on_gpu), wanted.window or max(_FEWEST, 4 * decoders))
