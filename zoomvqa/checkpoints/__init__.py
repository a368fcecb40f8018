"""Checkpoints that describe themselves, and those of others, read without unpickling objects."""

from zoomvqa.checkpoints.description import Description, describe
from zoomvqa.checkpoints.load import Checkpoint, load_checkpoint

__all__ = ["Checkpoint", "Description", "describe", "load_checkpoint"]
