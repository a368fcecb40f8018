"""`metrics.csv`: written after every epoch, and kept by a run that goes on."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import lightning
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

from zoomvqa.files import whole_file


class _Writer(ExperimentWriter):
    """Lightning's writer, which keeps the file that is there instead of deleting it."""

    def __init__(self, log_dir: str) -> None:
        super().__init__(log_dir)
        self.metrics_keys = self._rows()[0]

    def _check_log_dir_exists(self) -> None:
        """Lightning deletes the file here."""

    def _rows(self) -> tuple[list[str], list[dict[str, Any]]]:
        path = Path(self.metrics_file_path)
        if not path.is_file():
            return [], []
        with path.open(newline="", encoding="utf-8") as handle:
            reader = csv.DictReader(handle)
            rows = list(reader)
        return list(reader.fieldnames or []), rows

    def forget_from(self, step: int) -> None:
        """Take the rows of a step and of those after it out of the file: they are going to be done again."""
        names, rows = self._rows()
        kept = [row for row in rows if _before(row, step)]
        if len(kept) == len(rows):
            return
        with whole_file(Path(self.metrics_file_path), newline="") as handle:
            writer = csv.DictWriter(handle, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(kept)


def _before(row: dict[str, Any], step: int) -> bool:
    """Tell whether a row is of an earlier step; a row that a kill has cut off is not."""
    try:
        return int(row["step"]) < step
    except (KeyError, TypeError, ValueError):
        return False


class KeptCSVLogger(CSVLogger):
    """Lightning's CSV logger for a run that goes on: what was logged before the stop stays."""

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer, on the first process."""
        if self._experiment is None:
            Path(self.root_dir).mkdir(parents=True, exist_ok=True)
            self._experiment = _Writer(log_dir=self.log_dir)
        return self._experiment


class FlushFigures(Callback):
    """Writes the rows of `metrics.csv` after every epoch, before the checkpoint that a run goes on from."""

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Forget what was logged after the checkpoint that training goes on from."""
        for logger in trainer.loggers:
            if isinstance(logger, KeptCSVLogger) and isinstance(logger.experiment, _Writer):
                logger.experiment.forget_from(trainer.global_step)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Write the figures of a validation."""
        _save(trainer)

    def on_train_epoch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Write what the end of the epoch before has logged."""
        _save(trainer)


def _save(trainer: lightning.Trainer) -> None:
    for logger in trainer.loggers:
        if isinstance(logger, CSVLogger):
            logger.save()
