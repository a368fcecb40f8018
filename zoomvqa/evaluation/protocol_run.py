"""One run of a protocol: trained, chosen on validation, tested once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoomvqa.checkpoints import load_checkpoint
from zoomvqa.console import say
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.errors import SettingsError, TrainingError
from zoomvqa.evaluation.predictions import score_labelled
from zoomvqa.files import whole_file
from zoomvqa.metrics import agreement
from zoomvqa.processes import is_first_process
from zoomvqa.scoring.branches import accelerator_device
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.settings.protocol import Protocol
from zoomvqa.training.resume import last_checkpoint
from zoomvqa.training.run import train


@dataclass(frozen=True)
class Run:
    """One training of a protocol, and its test.

    Attributes:
        split: number of the split.
        seed: of the training.
        labelled: the set, so split.
        settings: of the training; its `output` is the run's own folder.
    """

    split: int
    seed: int
    labelled: LabelledSet
    settings: TrainSettings

    @property
    def folder(self) -> Path:
        """Where the run writes."""
        return Path(self.settings.output)

    @property
    def failure(self) -> Path:
        """Why the training gave nothing that can be tested; where it is, the run is done, too."""
        return self.folder / "failed.json"

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to do."""
        return self.result.is_file() or self.failure.is_file()

    @property
    def result(self) -> Path:
        """The test's figures; where they are, the run is done."""
        return self.folder / "test.json"


def do_run(run: Run, protocol: Protocol) -> None:
    """Train, and test with the chosen checkpoint; a training that comes to nothing is noted, and no error.

    Days of other runs do not depend on one whose predictions are all equal, or no numbers. Such a run is not tried
    again; it is, if its folder is deleted.

    Raises:
        UserError: the settings do not fit the data or this machine, or no test video can be scored.
    """
    try:
        _train_and_test(run, protocol)
    except TrainingError as error:
        say(f"Split {run.split}, seed {run.seed} failed: {error}")
        if is_first_process():
            with whole_file(run.failure) as handle:
                json.dump({"error": str(error)}, handle)


def _train_and_test(run: Run, protocol: Protocol) -> None:
    last = last_checkpoint(run.folder)
    fusion = isinstance(run.settings.branch, FusionBranch)
    goes_on = last.is_file() and not (fusion and not run.settings.branch.finetune)  # type: ignore[union-attr]
    trained = train(run.settings, run.labelled, last if goes_on else None)
    if trained.ended_constant and protocol.checkpoint == "last":
        raise TrainingError(f"protocol: last.ckpt of {run.folder} predicts the same of every validation video")
    if not is_first_process():
        return
    name = "best" if fusion else protocol.checkpoint
    checkpoint = run.folder / "checkpoints" / f"{name}.ckpt"
    device = accelerator_device(run.settings.trainer.accelerator)
    scorer = Scorer(load_checkpoint(checkpoint), str(device), reader=run.settings.data.reader)
    made_from = [str(checkpoint), checkpoint.stat().st_mtime_ns]
    found = score_labelled(
        scorer, run.labelled.part("test"), run.folder / "test_predictions.csv", made_from, run.folder.name
    )
    scored = [p for p in found if p.score is not None]
    if not scored:
        raise SettingsError(f"protocol: no test video of {run.folder} can be scored")
    score, mos = np.array([p.score for p in scored], np.float64), np.array([p.video.mos for p in scored])
    std = np.array([np.nan if p.video.std is None else p.video.std for p in scored])
    votes = np.array([np.nan if p.video.votes is None else p.video.votes for p in scored])
    unit = scorer.description.unit
    told: dict[str, Any] = agreement(score, mos, std, votes=votes).as_dict() | {"failed": len(found) - len(scored)}
    told |= {"unit": unit} | ({} if unit == "mos" else {"rmse": None})  # without a unit it means nothing
    with whole_file(run.result) as handle:
        json.dump(told, handle, indent=1)
