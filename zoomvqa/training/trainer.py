"""Lightning's Trainer for one run."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import AdvancedProfiler, Profiler, PyTorchProfiler, SimpleProfiler

from zoomvqa.errors import SettingsError
from zoomvqa.settings.trainer import TrainerSettings
from zoomvqa.training.true_precision import true_precision
from zoomvqa.training.whole_checkpoints import WholeCheckpoints

# What Lightning warns of that is not for the user to act on here.
_QUIET = (
    "does not have many workers",
    "Experiment logs directory",
    "The number of training batches",
    "LeafSpec",
    "sync_dist=True",
    "Checkpoint directory",
)


def build_trainer(
    settings: TrainerSettings,
    loggers: list[Logger],
    callbacks: list[Callback],
    output: Path,
    *,
    validate_last: bool,
) -> lightning.Trainer:
    """Return the Trainer of a run.

    Args:
        settings: of the Trainer; `limit_train_batches` is left to `zoomvqa.training.short_epochs`.
        loggers: of the run.
        callbacks: of the run.
        output: the run's folder.
        validate_last: validate after the last epoch alone, on all validation videos.

    Raises:
        SettingsError: Lightning does not take the settings, or this machine does not have what they ask for.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for message in _QUIET:
        warnings.filterwarnings("ignore", message=f".*{message}.*")
    plugin = true_precision(settings.precision)
    given = settings.model_dump(exclude={"profiler", "limit_train_batches"})
    given["check_val_every_n_epoch"] = settings.check_val_every_n_epoch or 1
    given |= {"precision": None} if plugin else {}
    given |= {"check_val_every_n_epoch": settings.max_epochs, "limit_val_batches": None} if validate_last else {}
    try:
        trainer = lightning.Trainer(
            **{"enable_model_summary": False} | given,
            profiler=_profiler(settings.profiler, output),
            logger=loggers or False,
            callbacks=callbacks,
            plugins=[WholeCheckpoints(), *([plugin] if plugin else [])],
            default_root_dir=output,
            use_distributed_sampler=False,  # the datamodule shares the data out itself
            num_sanity_val_steps=0,
        )
    # A list of devices on a CPU is a TypeError of Lightning's; two callbacks of one name are a RuntimeError.
    except (MisconfigurationException, TypeError, ValueError, RuntimeError, ImportError) as error:
        raise refused(error) from None
    if given.get("sync_batchnorm") and trainer.strategy.root_device.type != "cuda":
        raise SettingsError(
            "trainer.sync_batchnorm: got true without a GPU, expected false: torch joins batch norms on GPUs alone"
        )
    return trainer


def refused(error: Exception) -> SettingsError:
    """Return what Lightning does not take of the settings, on one line."""
    return SettingsError(f"trainer: {' '.join(str(error).split())}")


def _profiler(name: str | None, output: Path) -> Profiler | None:
    """Return what measures a run, writing to its folder."""
    kinds = {"simple": SimpleProfiler, "advanced": AdvancedProfiler, "pytorch": PyTorchProfiler}
    return kinds[name](dirpath=output, filename="profile") if name else None
