"""Which of several processes this is, as Lightning, torchrun and SLURM tell it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass


def is_first_process() -> bool:
    """Tell whether this is the process that talks, writes and cleans up; true where there is only one."""
    local = os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0"))
    node = os.environ.get("NODE_RANK", os.environ.get("GROUP_RANK", os.environ.get("SLURM_NODEID", "0")))
    return local == "0" and node == "0"


@dataclass(frozen=True)
class Share:
    """The part of some work that this process does.

    Attributes:
        number: of this process, from 0.
        of: how many processes do the work.
        wait: returns when all of them have called it.
    """

    number: int = 0
    of: int = 1
    wait: Callable[[], None] = lambda: None

    @property
    def first(self) -> bool:
        """Whether this process gathers and writes what all have found."""
        return self.number == 0

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.of == 1
