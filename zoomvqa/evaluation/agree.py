"""Predictions beside labels: which belong together, and how well they agree, whole and by group."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.errors import SettingsError
from zoomvqa.metrics import Agreement, agreement

# A group of fewer videos has no figures of its own.
_FEWEST = 5


@dataclass(frozen=True)
class Judged:
    """Predictions of the videos that have both a score and a label.

    Attributes:
        names: of the videos, in the labels' order.
        score: (n,) predicted.
        mos: (n,).
        std: (n,), NaN where it is not known.
        groups: of each video: what figures are also told by.
        contents: (n,) numbers of their contents; None where none are told.
        votes: (n,) numbers of opinions, NaN where they are not known; None where none are.
    """

    names: tuple[str, ...]
    score: NDArray[np.float64]
    mos: NDArray[np.float64]
    std: NDArray[np.float64]
    groups: tuple[Mapping[str, str], ...]
    contents: NDArray[np.int64] | None = None
    votes: NDArray[np.float64] | None = None

    def figures(self, **options: Any) -> Agreement:
        """Return the figures of all of them; see `zoomvqa.metrics.agreement`."""
        return agreement(self.score, self.mos, self.std, votes=self.votes, contents=self.contents, **options)

    def by_group(self, **options: Any) -> dict[tuple[str, str], Agreement]:
        """Return the figures of each value of each kind of group that at least five videos have."""
        members: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, groups in enumerate(self.groups):
            for kind, value in groups.items():
                members[kind, value].append(at)
        found = {}
        for group, places in sorted(members.items()):
            if _FEWEST <= len(places) < len(self.names):
                part = [values[places] for values in (self.score, self.mos, self.std)]
                alone = self.contents is None or group[0] == "content"  # contents are not resampled within one
                contents = None if alone else self.contents[places]  # type: ignore[index]
                votes = None if self.votes is None else self.votes[places]
                found[group] = agreement(*part, votes=votes, contents=contents, **options)
        return found


def match(
    scores: Mapping[str, float],
    labels: Sequence[LabelledVideo],
    endings: Sequence[str] = (),
    *,
    key: str = "predictions",
) -> tuple[Judged, list[str], list[str]]:
    """Bring predictions and labels of the same videos together.

    Names are compared as they are; where that leaves some without a partner, by their last part without its
    extension, which must tell them apart; and last without the endings that files of the set have.

    Args:
        scores: by the name of the video.
        labels: the labelled videos.
        endings: what names of files have behind the labelled name and before their extension; see `data.endings`.
        key: of the setting that names the predictions, for the message.

    Returns:
        The pairs, the labelled videos without a prediction, and the predicted ones without a label.

    Raises:
        SettingsError: there is no pair.
    """
    names = [label.name for label in labels]
    partners = {name: name for name in names if name in scores}
    for left_out in ((), endings) if endings else ((),):
        # Shorter names count only among those that the longer ones leave.
        short = _short(scores.keys() - set(partners.values()), left_out)
        open_ = _short(set(names) - partners.keys(), left_out)
        partners |= {label: short[stem] for stem, label in open_.items() if stem in short}
    found = [(label, partners.get(label.name)) for label in labels]
    pairs = [(label, name) for label, name in found if name is not None]
    if not pairs:
        example = f", for example {next(iter(scores))} and {names[0]}" if scores else ""
        raise SettingsError(
            f"{key}: none of the {len(scores)} names is among the {len(labels)} labelled ones{example}"
        )
    used = {name for _, name in pairs}
    judged = Judged(
        tuple(label.name for label, _ in pairs),
        np.array([scores[name] for _, name in pairs], np.float64),
        np.array([label.mos for label, _ in pairs], np.float64),
        np.array([np.nan if label.std is None else label.std for label, _ in pairs], np.float64),
        tuple(_groups(label) for label, _ in pairs),
        _contents([label for label, _ in pairs]),
        np.array([np.nan if label.votes is None else label.votes for label, _ in pairs], np.float64),
    )
    return judged, [label.name for label, name in found if name is None], [n for n in scores if n not in used]


def _groups(label: LabelledVideo) -> dict[str, str]:
    told = dict(label.groups)
    return told if label.content == label.name else told | {"content": label.content}


def _contents(labels: Sequence[LabelledVideo]) -> NDArray[np.int64] | None:
    if all(label.content == label.name for label in labels):
        return None
    return np.unique([label.content for label in labels], return_inverse=True)[1]


def _stem(name: str, endings: Sequence[str]) -> str:
    last = re.split(r"[\\/]", name)[-1]
    stem = re.sub(r"\.([A-Za-z][A-Za-z0-9]{1,4}|3gp)$", "", last)
    return next((stem.removesuffix(ending) for ending in endings if ending and stem.endswith(ending)), stem)


def _short(names: Iterable[str], endings: Sequence[str]) -> dict[str, str]:
    """Return the names by their last part without extension and endings, but for those that share one."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[_stem(name, endings)].append(name)
    return {stem: names[0] for stem, names in found.items() if len(names) == 1}
