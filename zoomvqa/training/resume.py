"""Going on with a run that was stopped: from its last checkpoint, to the same weights as without the stop."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from omegaconf import OmegaConf

from zoomvqa.console import say
from zoomvqa.errors import SettingsError
from zoomvqa.files import whole_file
from zoomvqa.outputs import refuse_foreign_folder
from zoomvqa.settings.base import check
from zoomvqa.settings.commands import TrainerSettings, TrainSettings
from zoomvqa.settings.older import train_settings
from zoomvqa.settings.paths import seen_from

# Where `versions.json` says from which folder a run was started: its relative paths count from there.
WORKING_FOLDER = "working_folder"
# What may be different in a run that goes on: where it runs and what it tells, not what it learns.
_FREE = (
    *("resume", "overwrite", "output", "logger", "threads"),
    *("trainer.accelerator", "trainer.log_every_n_steps", "trainer.profiler", "trainer.detect_anomaly"),
    *("trainer.enable_progress_bar", "trainer.enable_model_summary"),
)
# What a run writes into its folder, and replaces.
_FILES = (
    *("checkpoints", "config.yaml", "versions.json", "figures.json", "metrics.csv"),
    *("val_predictions.csv", "val_scatter.png", "fit_predictions.csv", "fit_scatter.png"),
)


def last_checkpoint(output: Path) -> Path:
    """Return where a run keeps the checkpoint that it goes on from."""
    return output / "checkpoints" / "last.ckpt"


def refuse_other_folder(folder: Path) -> None:
    """Refuse a folder that holds files of the names that a run writes, and is no run.

    Raises:
        SettingsError: it is one.
    """
    refuse_foreign_folder(folder, _FILES, _is_run)


def _is_run(folder: Path) -> bool:
    """Tell whether a run has begun in a folder: the first file that it writes says what it is made with."""
    try:
        return "zoomvqa" in json.loads((folder / "versions.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return _is_config(folder / "config.yaml")


def _is_config(path: Path) -> bool:
    try:
        return {"branch", "data", "trainer"} <= set(OmegaConf.load(path))
    except Exception:  # noqa: BLE001  what a file of somebody else's ends in is the YAML reader's
        return False


def begins_again(folder: Path, *, calibrates: bool = False) -> bool:
    """Tell whether the run in a folder was stopped before its first whole checkpoint, so that nothing is lost.

    Args:
        folder: of the run.
        calibrates: the run is a fusion that trains nothing; doing it again gives the same.
    """
    stopped = not last_checkpoint(folder).is_file() and (folder / "config.yaml").is_file()
    return stopped and (calibrates or not (folder / "figures.json").is_file())


def settings_of(folder: Path) -> TrainSettings:
    """Return the settings of the run in a folder.

    Raises:
        SettingsError: there is no run, or its config cannot be read.
    """
    config = folder / "config.yaml"
    if not config.is_file():
        raise SettingsError(
            f"resume: {folder} holds no run that can go on (config.yaml and checkpoints/last.ckpt)"
        )
    try:
        values = OmegaConf.to_container(OmegaConf.load(config))
    except Exception as error:  # noqa: BLE001  what a damaged file ends in is the YAML reader's
        raise SettingsError(f"resume: {config} cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(values, dict):
        raise SettingsError(f"resume: {config} is no config")
    known = train_settings(values) | {"output": str(folder), "resume": str(folder)}
    found = check(TrainSettings, known, prefix=str(config))
    began_in = _working_folder(folder)
    return found if began_in is None or began_in == Path.cwd() else seen_from(found, began_in)


def _working_folder(folder: Path) -> Path | None:
    """Return the folder from which the run in a folder was started; None for a run of before this was noted."""
    try:
        told = json.loads((folder / "versions.json").read_text(encoding="utf-8")).get(WORKING_FOLDER)
    except (OSError, ValueError, AttributeError):
        return None
    return Path(told) if isinstance(told, str) else None


def refuse_other_settings(settings: TrainSettings) -> None:
    """Refuse to go on with settings that are not the run's own.

    Raises:
        SettingsError: a setting differs; the first is named.
    """
    own = flat(settings_of(Path(settings.output)).model_dump(mode="json"))
    now = flat(settings.model_dump(mode="json"))
    here = flat(seen_from(settings, Path.cwd()).model_dump(mode="json"))
    for key in sorted(own.keys() | now.keys()):
        if key == "trainer.max_epochs" and own[key] < now[key]:
            continue
        if own.get(key) not in (now.get(key), here.get(key)) and not key.startswith(_FREE):
            raise SettingsError(
                f"{key}: got {now.get(key)!r}, but the run in {settings.output} that resume=auto goes on with has "
                f"{own.get(key)!r}; give another output, or overwrite=true without resume"
            )


def longer(settings: TrainSettings, epochs: int) -> TrainSettings:
    """Return the settings of a run with more epochs.

    Raises:
        SettingsError: they are fewer than the run has, or do not fit its other settings.
    """
    own = settings.trainer.max_epochs
    if epochs < own:
        raise SettingsError(
            f"trainer.max_epochs: got {epochs}, expected {own} or more: the run in {settings.output} has {own}"
        )
    values = settings.trainer.model_dump() | {"max_epochs": epochs}
    return settings.model_copy(update={"trainer": check(TrainerSettings, values, prefix="trainer")})


class LongerRun(Callback):
    """Writes into the config of a run that goes on how many epochs it has now, and says what becomes of the rate.

    Args:
        output: the run's folder.
    """

    def __init__(self, output: Path) -> None:
        self._config = output / "config.yaml"

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """See the class."""
        config = OmegaConf.load(self._config)
        before, now = config.trainer.max_epochs, trainer.max_epochs
        if before == now:
            return
        if trainer.is_global_zero:
            config.trainer.max_epochs = now
            with whole_file(self._config) as handle:
                handle.write(OmegaConf.to_yaml(config))
        say(
            f"{now} epochs instead of {before}: the learning rate goes on along the cosine of {now} epochs, from "
            f"where that is after {trainer.current_epoch}; a run of {now} epochs from the start has another one"
        )


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested dicts as one, with dotted keys."""
    if not isinstance(values, dict):
        return {prefix.removesuffix("."): values}
    return {k: v for key, inner in values.items() for k, v in flat(inner, f"{prefix}{key}.").items()}


class StepSeeds(Callback):
    """Seeds torch before every training step, by the run's seed, the epoch, the step and the process.

    Dropout, stochastic depth and mixing then draw the same numbers whether a run was stopped in between or not.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """See the class."""
        facts = [self._seed, trainer.current_epoch, batch_idx + 1, trainer.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(facts).generate_state(1, np.uint64)[0]))


class SaveAndStop(Callback):
    """Saves where the run is when it is asked to end, by SIGTERM or Ctrl-C, before it does.

    Ctrl-C is answered between two batches: in the middle of one it can leave locks behind, of the progress bar
    for one, that the end of the run would wait for without end. A second one is not waited with.

    Args:
        output: the run's folder.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._before: Any = None
        self._interrupted = False

    def on_fit_start(self, trainer: lightning.Trainer, *_: Any) -> None:  # noqa: ARG002
        """Take over Ctrl-C."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)

    def teardown(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:  # noqa: ARG002
        """Give Ctrl-C back, unless Lightning has switched it off for the way out."""
        if self._before is not None and signal.getsignal(signal.SIGINT) == self._note:
            signal.signal(signal.SIGINT, self._before)
        self._before = None

    def on_exception(self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException) -> None:  # noqa: ARG002
        """Let the next Ctrl-C end everything: Lightning leaves this handler where it is when a run has failed."""
        self._interrupted = True

    def _note(self, *_: Any) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True

    def on_validation_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:  # noqa: ARG002
        """End the run after Ctrl-C; it goes on from the epoch before."""
        if self._interrupted:
            raise KeyboardInterrupt

    def on_train_batch_end(  # noqa: D102  see the class
        self,
        trainer: lightning.Trainer,
        pl_module: Any,  # noqa: ARG002
        outputs: Any,  # noqa: ARG002
        batch: Any,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        # Gradients that are still gathered are not kept, so that the step before them is saved.
        done = batch_idx + 1
        last = done >= trainer.num_training_batches
        stepped = last or done % trainer.accumulate_grad_batches == 0
        asked = trainer.received_sigterm or self._interrupted
        # At its end the epoch is saved anyway; of several processes each has its own Ctrl-C, and saving needs all.
        if asked and stepped and not last and not (self._interrupted and trainer.world_size > 1):
            trainer.save_checkpoint(last_checkpoint(self._output))
            say(f"Asked to end: saved; resume={self._output} goes on")
        if self._interrupted:
            raise KeyboardInterrupt
