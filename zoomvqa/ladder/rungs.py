"""The ladder: what is done to a pristine clip, and how hard."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Rung:
    """One degradation.

    Attributes:
        name: short and fit for a file name.
        kind: pristine, compression, scaling, blur, noise or combined.
        filters: FFmpeg filters put on the picture before encoding; `{w}` and `{h}` are its size.
        crf: x264's constant rate factor, 0 (lossless) to 51.
    """

    name: str
    kind: str
    filters: str
    crf: int


def _down(factor: float) -> str:
    return f"scale=trunc({{w}}/{factor}/2)*2:trunc({{h}}/{factor}/2)*2:flags=area,scale={{w}}:{{h}}:flags=bicubic"


def _noise(strength: int) -> str:
    return f"noise=alls={strength}:allf=t:all_seed=1"


PRISTINE = Rung("pristine", "pristine", "null", 8)

RUNGS: tuple[Rung, ...] = (
    Rung("crf24", "compression", "null", 24),
    Rung("crf29", "compression", "null", 29),
    Rung("crf34", "compression", "null", 34),
    Rung("crf39", "compression", "null", 39),
    Rung("crf44", "compression", "null", 44),
    Rung("crf50", "compression", "null", 50),
    Rung("down1.5", "scaling", _down(1.5), 14),
    Rung("down2", "scaling", _down(2), 14),
    Rung("down3", "scaling", _down(3), 14),
    Rung("down4", "scaling", _down(4), 14),
    Rung("blur0.8", "blur", "gblur=sigma=0.8", 14),
    Rung("blur1.5", "blur", "gblur=sigma=1.5", 14),
    Rung("blur3", "blur", "gblur=sigma=3", 14),
    Rung("noise8", "noise", _noise(8), 14),
    Rung("noise18", "noise", _noise(18), 14),
    Rung("noise35", "noise", _noise(35), 14),
    Rung("down1.5-crf32", "combined", _down(1.5), 32),
    Rung("down2-crf38", "combined", _down(2), 38),
    Rung("blur1-crf32", "combined", "gblur=sigma=1", 32),
    Rung("blur1.5-crf40", "combined", "gblur=sigma=1.5", 40),
    Rung("noise12-crf32", "combined", _noise(12), 32),
    Rung("noise25-crf38", "combined", _noise(25), 38),
)


def draw_rungs(count: int, seed: str) -> list[Rung]:
    """Return the pristine rung and `count` others, spread over the kinds, drawn by `seed`."""
    draw = random.Random(seed)  # noqa: S311  a choice, not a secret
    by_kind: dict[str, list[Rung]] = {}
    for rung in RUNGS:
        by_kind.setdefault(rung.kind, []).append(rung)
    for rungs in by_kind.values():
        draw.shuffle(rungs)
    # The two kinds with most rungs come first, so that a short ladder leans to compression and its mixtures.
    order = sorted(by_kind, key=lambda kind: -len(by_kind[kind]))
    chosen: list[Rung] = []
    while len(chosen) < min(count, len(RUNGS)):
        for kind in order:
            if by_kind[kind] and len(chosen) < count:
                chosen.append(by_kind[kind].pop())
    return [PRISTINE, *chosen]


# A hand has as many of each kind as the kind's rungs are of the ladder; its halves are nearly alike.
_HAND = ("compression", "combined", "scaling", "blur", "compression", "combined", "scaling", "noise")


def deal_rungs(hands: int, seed: str) -> list[tuple[Rung, ...]]:
    """Return hands of eight rungs, no rung twice in one: two of most kinds, one of blur and of noise.

    The rungs of a kind go round in an order drawn by `seed`, so that each is dealt as often as any other of its
    kind, or once more: what differs between the hands is not how hard they are on the whole.
    """
    draw = random.Random(seed)  # noqa: S311  a choice, not a secret
    decks: dict[str, Iterator[Rung]] = {}
    for kind in dict.fromkeys(_HAND):
        rungs = [rung for rung in RUNGS if rung.kind == kind]
        draw.shuffle(rungs)
        decks[kind] = itertools.cycle(rungs)
    return [tuple(next(decks[kind]) for kind in _HAND) for _ in range(hands)]
