"""Several labelled sets as one: scores on one scale, videos named after their set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from zoomvqa.data.contents import SURENESS
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.errors import AnnotationError

MIXED_RANGE = (0.0, 100.0)


def join_sets(sets: Mapping[str, LabelledSet], weights: Mapping[str, float]) -> LabelledSet:
    """Return the videos of all sets as one set.

    A score s of a set with the scale [low, high] becomes 100 · (s − low) / (high − low). Scales of different sets
    still mean different things: losses that compare videos do so within a set (`LabelledVideo.set`).

    Args:
        sets: by name.
        weights: how much the loss of each set's videos counts; 1 where nothing is said.

    Raises:
        AnnotationError: a file belongs to two of them.
    """
    videos: list[LabelledVideo] = []
    owners: dict[Path, str] = {}
    for number, (name, labelled) in enumerate(sets.items()):
        for video in labelled.videos:
            owner = owners.setdefault(video.path.resolve(), name)
            if owner != name:
                raise AnnotationError(f"{video.path} belongs to {owner} and to {name}: it would count twice")
            videos.append(_joined(video, number, name, labelled.mos_range))
    shares = tuple(float(weights.get(name, 1.0)) for name in sets)
    return LabelledSet(
        "+".join(sets),
        tuple(videos),
        MIXED_RANGE,
        tuple(sets),
        shares,
        contents=max((labelled.contents for labelled in sets.values()), key=SURENESS.index),
        drawn=any(labelled.drawn for labelled in sets.values()),
    )


def _joined(video: LabelledVideo, number: int, name: str, scale: tuple[float, float]) -> LabelledVideo:
    low, high = scale
    factor = 100.0 / (high - low) if high > low else 0.0
    return replace(
        video,
        name=f"{name}/{video.name}",
        mos=(video.mos - low) * factor,
        std=None if video.std is None else video.std * factor,
        content=f"{name}/{video.content}",
        groups={**video.groups, "set": name},
        set=number,
    )
