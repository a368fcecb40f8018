"""Checkpoints that describe themselves, and those of others, read without unpickling objects."""

from zoomvqa.checkpoints.description import (
    BranchDescription,
    Description,
    FusionDescription,
    describe,
)
from zoomvqa.checkpoints.load import Checkpoint, load_checkpoint
from zoomvqa.checkpoints.named import NAMED, weights_file
from zoomvqa.checkpoints.start import start_from

__all__ = [
    "NAMED",
    "BranchDescription",
    "Checkpoint",
    "Description",
    "FusionDescription",
    "describe",
    "load_checkpoint",
    "start_from",
    "weights_file",
]
