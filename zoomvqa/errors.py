"""The errors this package raises on purpose: one tree, so that callers can catch all or one kind."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ZoomVQAError(Exception):
    """Anything that went wrong for a reason we can name; `str()` is a sentence for the user."""


class UserError(ZoomVQAError):
    """A mistake in what the user asked for; the commands print it on one line and exit with 2."""


class SettingsError(UserError):
    """A config key or value that is unknown or impossible."""


class AnnotationError(UserError):
    """An annotation file that cannot be read, or that lists what is not there."""


class CheckpointError(UserError):
    """A checkpoint that is missing, unsafe, damaged or of another kind."""


class TrainingError(UserError):
    """A training that cannot go on, mostly because its settings made it diverge."""


class ToolError(UserError):
    """A program or package that a command needs is not there, or refused its work."""


class VideoError(ZoomVQAError):
    """One video that cannot be scored; bulk work goes on without it."""


class DamagedError(VideoError):
    """A file that is a video but damaged or cut short; `zoomvqa.video.salvage` may still read a part of it."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the choice that looks most like `word`, or an empty string."""
    close = get_close_matches(word, list(choices), n=1, cutoff=0.65)
    return f" (did you mean '{close[0]}'?)" if close else ""
