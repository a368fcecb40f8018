"""Our side: an experiment's own settings, networks and Lightning modules, on batches that are given to them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import lightning
import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch.callbacks import Callback
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from training_steps.record import Record, Tensors, gradients_of, stays_float64, tensors_of
from zoomvqa.checkpoints import describe
from zoomvqa.cli.overrides import config_folder
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.settings.base import check
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.training.build import build_branch
from zoomvqa.training.module import QualityModule


def experiment(name: str, overrides: Sequence[str]) -> TrainSettings:
    """Return the settings of an experiment, as a command line composes them."""
    given = [f"experiment={name}", "data.root=.", "output=.", "trainer=cpu", *overrides]
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        values = OmegaConf.to_container(compose("train", given), resolve=True)
    assert isinstance(values, dict)  # noqa: S101  the root of a config is a mapping
    return check(TrainSettings, {str(key): value for key, value in values.items()})


def build(settings: TrainSettings, weights_folder: Path) -> QualityModule:
    """Return the module of an experiment; the weights that it names are looked for in a folder."""
    import timm  # noqa: PLC0415  slow

    branch = settings.branch
    assert not isinstance(branch, FusionBranch)  # noqa: S101  no experiment is a fusion
    videos = tuple(LabelledVideo(split, Path(split), 1.0, split, split) for split in ("train", "val"))
    labelled = LabelledSet("given", videos, (0.0, 100.0))
    create = timm.create_model
    places = {"ZOOMVQA_WEIGHTS_URL": str(weights_folder), "ZOOMVQA_CACHE": str(weights_folder / "cache")}
    with (
        patch.dict(os.environ, places),
        patch("timm.create_model", lambda name, **named: create(name, **(named | {"pretrained": False}))),
    ):
        about = describe(branch, (0.0, 100.0), "given", {})
        return build_branch(settings, branch, labelled, about).module


class _Batches(Dataset):
    def __init__(self, batches: Sequence[Any], length: int) -> None:
        self._batches, self._length = batches, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> Any:
        return self._batches[number % len(self._batches)]


class _Recorder(Callback):
    def __init__(self, record: Record, steps: int) -> None:
        self.record, self._steps = record, steps

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: torch.optim.Optimizer) -> None:  # noqa: ARG002
        names = {id(p): name for name, p in pl_module.net.named_parameters()}
        groups = [(names[id(p)], group) for group in optimizer.param_groups for p in group["params"]]
        self.record.rates.append({name: float(group["lr"]) for name, group in groups})
        self.record.decays = {name: float(group["weight_decay"]) for name, group in groups}
        if not self.record.gradients:
            self.record.gradients = gradients_of(pl_module.net)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        self.record.losses.append(float(outputs["loss"]))
        trainer.should_stop = batch_idx + 1 >= self._steps


def run_ours(
    module: QualityModule, settings: TrainSettings, batches: Sequence[Any], *, length: int, start: Tensors
) -> Record:
    """Train for as many steps as there are batches, and return the record.

    Args:
        module: of `build`.
        settings: of the experiment.
        batches: as the module takes them.
        length: batches of an epoch.
        start: the weights to start from; those that an experiment's own file gives are recorded before.
    """
    record = Record(start=tensors_of(module.net.double()))
    assert module.averaged is not None  # noqa: S101  it is asked for
    for net in (module.net, module.averaged.module):
        net.double().load_state_dict(start)
    module.net.register_forward_pre_hook(_to_double)
    trainer = lightning.Trainer(
        max_epochs=settings.trainer.max_epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[_Recorder(record, len(batches))],
    )  # fmt: skip
    with stays_float64():
        trainer.fit(module, DataLoader(_Batches(batches, length), batch_size=None))
    record.weights, record.average = tensors_of(module.net), tensors_of(module.averaged.module)
    record.batch_size = settings.branch.loading.batch_size
    return record


def _to_double(_net: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(value.double() for value in given)
