"""How a scorer is made, to be sent to the processes that make their own."""

from __future__ import annotations

from dataclasses import dataclass, fields

from zoomvqa.checkpoints import Checkpoint
from zoomvqa.scoring.branches import Precision
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.video.reader import ReaderName
from zoomvqa.video.show import AS_IS, Show


@dataclass(frozen=True)
class ScorerRecipe:
    """What a `Scorer` is made of; see there. It can be pickled, weights and all."""

    checkpoint: Checkpoint
    device: str = "auto"
    precision: Precision = "32-true"
    reader: ReaderName = "auto"
    test_crops: int | None = None
    test_clips: int | None = None
    min_share: float = 1.0
    compiled: bool = False
    show: Show = AS_IS

    def scorer(self, device: str | None = None) -> Scorer:
        """Return a scorer, on another device where one is given.

        Raises:
            CheckpointError, SettingsError: as `Scorer` does.
        """
        on = self.device if device is None else device
        options = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "device"}
        return Scorer(**options, device=on)
