"""What scores are in."""

from __future__ import annotations

from typing import NamedTuple


class Unit(NamedTuple):
    """What predictions are in.

    Attributes:
        known: whether they are in units of the MOS; otherwise they order videos, no more.
        scale: lowest and highest MOS; None where it is not known.
    """

    known: bool
    scale: tuple[float, float] | None = None
