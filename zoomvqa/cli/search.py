"""A search for the best settings with Optuna: what overrides span, and the study that is asked and told."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from zoomvqa.console import say
from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.files import whole_file


class Space(NamedTuple):
    """What a search goes through.

    Attributes:
        fixed: overrides that every job has.
        free: Optuna's distribution of each key that is searched.
    """

    fixed: list[str]
    free: dict[str, Any]


def space_of(overrides: Sequence[Override]) -> Space:
    """Return the space of overrides: `a,b`, `choice(…)`, `range(…)`, `interval(…)`, `tag(log, interval(…))`.

    Raises:
        SettingsError: nothing is left to search.
        ToolError: Optuna is not installed.
    """
    fixed, free = [], {}
    for override in overrides:
        if override.is_sweep_override():
            free[override.get_key_element()] = _distribution(override)
        else:
            fixed.append(f"{override.get_key_element()}={override.get_value_element_as_str()}")
    if not free:
        raise SettingsError(
            "hparams_search: nothing to search; give a space such as branch.optimiser.lr='interval(1e-5,1e-3)' or "
            "branch.loss.name=l1,plcc"
        )
    return Space(fixed, free)


def _optuna() -> Any:
    """Import Optuna, an optional extra."""
    try:
        import optuna  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ToolError("hparams_search=optuna: Optuna is not installed; pip install 'zoomvqa[sweep]'") from None
    return optuna


def _distribution(override: Override) -> Any:
    kinds = _optuna().distributions
    sweep = override.value()
    if isinstance(sweep, IntervalSweep):
        assert sweep.start is not None  # noqa: S101  the grammar has both ends
        assert sweep.end is not None  # noqa: S101
        log = "log" in sweep.tags
        if isinstance(sweep.start, int) and isinstance(sweep.end, int):
            return kinds.IntDistribution(sweep.start, sweep.end, log=log)
        return kinds.FloatDistribution(float(sweep.start), float(sweep.end), log=log)
    if isinstance(sweep, RangeSweep) and not sweep.shuffle:
        values = [float(value) for value in sweep.range()]
        if all(value.is_integer() for value in values):
            return kinds.IntDistribution(int(values[0]), int(values[-1]), step=int(sweep.step))
        return kinds.FloatDistribution(values[0], values[-1], step=float(sweep.step))
    return kinds.CategoricalDistribution(list(override.sweep_string_iterator()))


def open_study(folder: Path, seed: int) -> Any:
    """Return the study in a folder; trials that were running when it was cut off count as failed.

    Raises:
        ToolError: Optuna is not installed.
    """
    optuna = _optuna()
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / "study.log")))
    study = optuna.create_study(storage=storage, study_name="zoomvqa", direction="maximize", load_if_exists=True)
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    return study


def tell(study: Any, trial: Any, value: Any) -> None:
    """Tell a study how good a trial was; what is no number is a failed one."""
    from optuna.trial import TrialState  # noqa: PLC0415

    if isinstance(value, float) and math.isfinite(value):
        study.tell(trial, value)
    else:
        study.tell(trial, state=TrialState.FAIL)


def write_best(study: Any, folder: Path) -> None:
    """Write the best finished trial of a study to `best.json` in the folder, and print it."""
    finished = [trial for trial in study.trials if trial.value is not None]
    if not finished:
        say("No trial of the search has finished")
        return
    best = max(finished, key=lambda trial: trial.value)
    told = {"job": best.number, "value": best.value, "params": best.params}
    with whole_file(folder / "best.json") as handle:
        json.dump(told, handle, indent=1)
    settings = " ".join(f"{key}={value}" for key, value in best.params.items())
    say(f"Best of {len(finished)} finished trials, job {best.number} ({best.value:.4f}): {settings}")
