"""The mean of the weights of a run's best epochs, validated and written as a checkpoint of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from zoomvqa.console import say
from zoomvqa.training.module import QualityModule


class BestEpochs(ModelCheckpoint):
    """Keeps the checkpoints of the best epochs, as `epoch_<number>.ckpt`.

    Args:
        folder: where to.
        count: how many.
    """

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(
            folder, "epoch_{epoch:03d}", monitor="val/selection", mode="max", save_top_k=count,
            save_weights_only=True, auto_insert_metric_name=False, enable_version_counter=False,
        )  # fmt: skip

    @property
    def paths(self) -> list[Path]:
        """The checkpoints that are kept."""
        return sorted(Path(path) for path in self.best_k_models)


def mean_weights(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Return the mean of the networks in some checkpoints of one run (arXiv 1803.05407, without its own schedule).

    Of each checkpoint the better of raw and moving average is taken. What is counted, not learned, is the first's.

    Args:
        paths: at least one.
    """
    states = [_better(torch.load(path, map_location="cpu", weights_only=True)) for path in paths]
    return {
        name: torch.stack([s[name].double() for s in states]).mean(dim=0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }


def _better(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    prefix = "averaged.module." if checkpoint["zoomvqa"]["weights"] == "averaged" else "net."
    return {k.removeprefix(prefix): v for k, v in checkpoint["state_dict"].items() if k.startswith(prefix)}


def write_average(
    trainer: lightning.Trainer, module: QualityModule, data: lightning.LightningDataModule, paths: Sequence[Path]
) -> None:
    """Validate the mean of some checkpoints' weights and write it beside them as `averaged.ckpt`.

    Args:
        trainer: that has trained the module.
        module: its weights are replaced.
        data: to validate on.
        paths: of the checkpoints.
    """
    weights = mean_weights(paths)
    for net in module.candidates().values():
        net.load_state_dict(weights)
    module.logs_figures = False  # they belong to no epoch
    trainer.validate(module, datamodule=data, verbose=False)
    target = paths[0].with_name("averaged.ckpt")
    trainer.save_checkpoint(target, weights_only=True)
    assert module.figures is not None  # noqa: S101  validation has just been run
    say(f"Mean of {len(paths)} epochs: {target}")
    say(f"Its validation: {module.figures.told(module.unit)}")
