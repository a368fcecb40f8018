"""Settings of `engine=ray`: which cluster, and how many of its workers."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, PositiveInt

from zoomvqa.settings.base import Settings


def _is_address(address: str) -> str:
    host, _, port = address.rpartition(":")
    if address != "auto" and not (host and "://" not in address and port.isdigit()):
        raise ValueError("null for a Ray of its own, auto, or HOST:PORT of the cluster of this machine")
    return address


class RaySettings(Settings):
    """The part of `predict.py` that is Ray's.

    Attributes:
        address: of a running cluster; None starts a Ray on this machine, and ends it.
        decoders: actors that decode, one CPU each; None is what suits the cluster.
        networks: actors that hold the networks, one GPU each where there are any, else one CPU; None is one a GPU,
            else one a machine.
        window: videos that are in work at a time; None is four a decoder, 32 at least.
    """

    address: Annotated[str, AfterValidator(_is_address)] | None = None
    decoders: PositiveInt | None = None
    networks: PositiveInt | None = None
    window: PositiveInt | None = None
