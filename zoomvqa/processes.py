"""Which of several processes this is, as Lightning, torchrun and SLURM tell it."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Tell whether this is the process that talks, writes and cleans up; true where there is only one."""
    local = os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0"))
    node = os.environ.get("NODE_RANK", os.environ.get("GROUP_RANK", os.environ.get("SLURM_NODEID", "0")))
    return local == "0" and node == "0"
