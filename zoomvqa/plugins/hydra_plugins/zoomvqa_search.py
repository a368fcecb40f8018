"""The search with Optuna as a sweeper of Hydra's, which takes plugins out of a package of this name only.

The published sweeper plugin needs an Optuna of before 2022; Optuna's own ask-and-tell interface is the maintained
way, and this joins the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from zoomvqa.cli.search import open_study, space_of, tell, write_best


class OptunaSearch(Sweeper):
    """Asks Optuna for settings, has the launcher run them, and tells Optuna how good they were.

    The study lies in `study.log` in the sweep's folder: the same command with the same `hydra.sweep.dir` goes on.

    Args:
        trials: jobs in all.
        jobs: asked for at a time; more than one only helps with a launcher that runs them side by side.
        seed: of the search.
        params: keys and what to search of them, as on the command line.
    """

    def __init__(self, trials: int, jobs: int, seed: int, params: Mapping[str, Any] | None = None) -> None:
        self.trials, self.jobs, self.seed, self.params = trials, jobs, seed, dict(params or {})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take over what Hydra hands to sweepers."""
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the search, and write its best trial to `best.json`.

        Raises:
            UserError: Optuna is not installed, or there is nothing to search.
        """
        assert self.launcher is not None  # noqa: S101  setup comes first
        assert self.config is not None  # noqa: S101
        folder = Path(self.config.hydra.sweep.dir)
        texts = [f"{key}={value}" for key, value in self.params.items()] + list(arguments)
        space = space_of(OverridesParser.create().parse_overrides(texts))
        study = open_study(folder, self.seed)
        OmegaConf.save(self.config, folder / "multirun.yaml")
        done = len(study.trials)
        while done < self.trials:
            asked = [study.ask(space.free) for _ in range(min(self.jobs, self.trials - done))]
            jobs = [[*space.fixed, *(f"{k}={v}" for k, v in trial.params.items())] for trial in asked]
            self.validate_batch_is_legal(jobs)
            for trial, result in zip(asked, self.launcher.launch(jobs, initial_job_idx=done), strict=True):
                tell(study, trial, result.return_value)
            done += len(asked)
        write_best(study, folder)
