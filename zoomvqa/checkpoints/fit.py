"""Which tensors of a file a network takes, and what to say of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Fit:
    """A file's tensors beside a network's.

    Attributes:
        taken: those of the same name and shape, in the network's dtype.
        missing: of the network's, those that the file does not have.
        unexpected: of the file's, those that the network does not have.
        reshaped: those of another shape, each with both shapes.
        total: number of the network's tensors.
    """

    taken: dict[str, Tensor]
    missing: list[str]
    unexpected: list[str]
    reshaped: dict[str, str]
    total: int

    def problems(self) -> str:
        """Return what does not fit, with the first few names of each kind; empty where all does."""
        kinds = (
            ("missing", self.missing),
            ("unexpected", self.unexpected),
            ("of another shape", [f"{name} {shapes}" for name, shapes in self.reshaped.items()]),
        )
        return "; ".join(f"{len(names)} {what} ({some(names)})" for what, names in kinds if names)


def fit(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Fit:
    """Compare a file's tensors with a network's."""
    same = {k: v for k, v in given.items() if k in wanted and v.shape == wanted[k].shape}
    return Fit(
        taken={k: v.to(wanted[k].dtype) for k, v in same.items()},
        missing=[k for k in wanted if k not in given],
        unexpected=[k for k in given if k not in wanted],
        reshaped={
            k: f"{tuple(v.shape)} instead of {tuple(wanted[k].shape)}"
            for k, v in given.items()
            if k in wanted and k not in same
        },
        total=len(wanted),
    )


def some(names: Sequence[str]) -> str:
    """Return the first three of many names."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
