"""Checkpoints that describe themselves, and those of others, read without unpickling objects."""

from zoomvqa.checkpoints.description import Description, IQADescription, VQADescription, describe
from zoomvqa.checkpoints.load import Checkpoint, load_checkpoint
from zoomvqa.checkpoints.start import start_from

__all__ = [
    "Checkpoint",
    "Description",
    "IQADescription",
    "VQADescription",
    "describe",
    "load_checkpoint",
    "start_from",
]
