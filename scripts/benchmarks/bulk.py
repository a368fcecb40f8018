"""The one place of the scripts that knows how many videos are scored."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zoomvqa.scoring import bulk
from zoomvqa.scoring.scorer import Scorer, VideoScore


def scored(scorer: Scorer, videos: Iterable[tuple[str, Path]], **options: Any) -> Iterator[tuple[str, VideoScore]]:
    """Yield the name and the score of each video as they are ready.

    Args:
        scorer: of the checkpoint.
        videos: names and files; names differ.
        options: of `score_many`; those that it does not have are left out.
    """
    known = inspect.signature(bulk.score_many).parameters
    for name, found, *_ in bulk.score_many(scorer, videos, **{k: v for k, v in options.items() if k in known}):
        yield name, found


def usual_workers(scorer: Scorer, videos: int) -> int:
    """Return how many processes decode where nothing is said."""
    usual = getattr(bulk, "default_workers", None)
    return 1 if usual is None else int(usual(scorer.device, videos))
