"""Checkpoints that appear whole or not at all, wherever the folder for temporary files is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from zoomvqa.files import whole_file


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it.

    Lightning's own way writes to the folder for temporary files; where that is another file system, moving the
    file is a copy, and a process killed in the middle of it leaves half a checkpoint in the place of a whole one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Args:
            checkpoint: what is saved.
            path: where to, on a file system of this machine.
            storage_options: not used.
        """
        del storage_options
        with whole_file(Path(path), "wb") as handle:
            torch.save(checkpoint, handle)
