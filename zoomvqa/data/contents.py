"""Which videos show one content, where an annotation does not tell: guessed from their names.

A split that tears versions of one scene apart makes figures too good. What is guessed here is told to the user as
the regular expression that does it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from zoomvqa.console import say
from zoomvqa.data.annotations import Label
from zoomvqa.errors import AnnotationError
from zoomvqa.settings.data import Contents, DataSettings

# The later, the less sure.
SURENESS: tuple[Contents, ...] = ("known", "unique", "names", "pictures", "unknown")
# Names group videos where at least so many groups come out, none of them with more than this share of the videos,
# of at most so many videos on average, and where this share of the videos is not alone in its group.
_FEWEST, _LARGEST, _MEAN, _SHARED = 3, 0.5, 30, 0.5
_SEPARATORS = "_- "
_DEPTH = 4


class NamePattern(NamedTuple):
    """A regular expression whose group is the content in a name.

    Attributes:
        pattern: for `data.content_pattern`.
        contents: how many it finds.
    """

    pattern: str
    contents: int


def guess_pattern(names: Sequence[str]) -> NamePattern | None:
    """Return the pattern that groups videos by how their names begin; None where names show no groups.

    Tried are beginnings up to the first, second, … separator, and all but a number at the end. Of those that
    group, the one with the fewest groups is taken: it keeps the most together.

    Args:
        names: of the videos, as an annotation has them.
    """
    plain = [last_part(name) for name in names]
    found = []
    for pattern in _candidates():
        matches = [re.search(pattern, name) for name in plain]
        groups = Counter(match.group(1) for match in matches if match)
        if all(matches) and _groups_videos(groups):
            found.append(NamePattern(pattern, len(groups)))
    return min(found, key=lambda one: one.contents, default=None)


def last_part(name: str) -> str:
    """Return a video's name without its folders."""
    return re.split(r"[\\/]", name)[-1]


def _candidates() -> list[str]:
    """Return the patterns that are tried, each with one group."""
    patterns = []
    for separator in _SEPARATORS:
        part = f"[^{separator}]+"
        patterns += [f"^({separator.join([part] * parts)}){separator}" for parts in range(1, _DEPTH + 1)]
    return [*patterns, r"^(.*?\D)\d+(?:\.\w+)?$"]


def _groups_videos(groups: Counter[str]) -> bool:
    videos = groups.total()
    shared = sum(count for count in groups.values() if count > 1)
    return (
        len(groups) >= _FEWEST
        and max(groups.values()) <= _LARGEST * videos
        and videos <= _MEAN * len(groups)
        and shared >= _SHARED * videos
    )


def is_told(label: Label) -> bool:
    """Tell whether an annotation says what content a video shows; its own name as a content says nothing."""
    return label.content is not None and label.content != label.video


def contents_by_name(labels: Sequence[Label], set_name: str) -> tuple[list[Label], NamePattern]:
    """Return the labels with contents guessed from their names, where they have none, and the pattern.

    Raises:
        AnnotationError: the names show no groups.
    """
    open_names = [label.video for label in labels if not is_told(label)]
    guess = guess_pattern(open_names)
    if guess is None:
        raise AnnotationError(
            f"data.contents: got 'names', but the names of {set_name} show no groups; expected null, pictures or "
            "unique, or data.content_pattern"
        )
    return [label if is_told(label) else replace(label, content=_content(label, guess)) for label in labels], guess


def _content(label: Label, guess: NamePattern) -> str:
    match = re.search(guess.pattern, last_part(label.video))
    assert match is not None  # noqa: S101  a pattern that is guessed matches all names
    return match.group(1)


def with_contents(
    settings: DataSettings, labels: Sequence[Label], paths: Sequence[Path] | None
) -> tuple[list[Label], Contents]:
    """Return the labels with the contents that `data.contents` asks to guess, and how contents are known.

    Args:
        settings: of the set.
        labels: of its videos.
        paths: of their files; None where they are not at hand.

    Raises:
        AnnotationError: they cannot be guessed so.
    """
    if all(is_told(label) for label in labels):
        return list(labels), "known"
    if settings.contents is None:
        return list(labels), "unknown"
    if settings.contents == "unique":
        return list(labels), "unique"
    if settings.contents == "names":
        grouped, guess = contents_by_name(labels, settings.name)
        say(f"Contents of {settings.name} are guessed from names: data.content_pattern='{guess.pattern}'")
    else:
        if paths is None:
            raise AnnotationError(
                f"data.contents: got 'pictures', but the videos of {settings.name} are not at hand; expected "
                "null, names or unique"
            )
        # Decoders are slow to import, and only needed here.
        from zoomvqa.data.picture_contents import contents_by_picture  # noqa: PLC0415

        grouped = contents_by_picture(labels, paths, settings.reader)
    count = len({label.content for label in grouped})
    say(f"{len(grouped)} videos of {settings.name} show {count} contents, guessed from {settings.contents}")
    return grouped, settings.contents


def unknown_contents(labels: Sequence[Label], set_name: str, split: str = "split") -> str:
    """Return the line that warns of a split that is drawn without knowing all contents.

    Args:
        labels: of the set.
        set_name: its name.
        split: what is drawn.
    """
    names = [label.video for label in labels if not is_told(label)]
    guess = guess_pattern(names)
    way = (
        f"data.content_pattern='{guess.pattern}' makes {guess.contents} contents of their names, and so does "
        "data.contents=names"
        if guess
        else "a column `content` or data.content_pattern tells them"
    )
    return (
        f"Warning: the {split} of {set_name} is drawn at random, and no content is known of {len(names)} of its "
        f"{len(labels)} videos: versions of one scene may be on both sides, and figures too good; {way}, "
        "data.contents=pictures compares pictures, data.contents=unique says that no two videos show one scene"
    )
