"""Networks that predict the same of every video: correlations are not defined, and such weights are of no use."""

from __future__ import annotations


def told_constant(videos: int, value: float, cause: str) -> str:
    """Return a line on predictions that are all the same, with the likely cause and what to try.

    Args:
        videos: how many there are.
        value: what they are.
        cause: of the branch, see `QualityModule.constant_cause`.
    """
    return (
        f"all {videos} validation predictions are {value:.4f}: {cause}; try a smaller branch.optimiser.lr, "
        "a larger branch.optimiser.warmup_epochs or another seed"
    )
