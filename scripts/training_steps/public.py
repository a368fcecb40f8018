"""Runs a training script of the public code as it is, on given batches, and records its first steps.

Nothing of it is copied or changed. What it imports but does not need for a training step (readers of videos,
loggers) is replaced, as are its data, its files of weights and, because the machine may have none, the GPU.
"""

from __future__ import annotations

import copy
import io
import os
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock, patch

import torch
from torch import nn

from training_steps.record import Record, Tensors, gradients_of, stays_float64, tensors_of

# Imported by the public scripts, and without a part in a training step.
_NOT_NEEDED = (
    "wandb",
    "thop",
    "cv2",
    "clip",
    "torchsort",
    "torch.utils.tensorboard",
    "fastvqa.models.xclip_backbone",
)


class EnoughStepsError(Exception):
    """As many steps as are wanted have been taken."""


class GivenBatches:
    """Stands in for the public loaders.

    Args:
        batches: what it yields; then it stops the script.
        length: batches of an epoch, which the public schedule counts.
    """

    def __init__(self, batches: list[Any], length: int) -> None:
        self._batches, self._length = batches, length
        self.sampler = MagicMock()
        self.batch_sampler = object()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        yield from self._batches
        raise EnoughStepsError


class Recorder:
    """Takes part in the public script where it copies its network, steps and goes backward."""

    def __init__(self) -> None:
        self.record = Record()
        self.net: nn.Module | None = None
        self.average: nn.Module | None = None
        self._names: dict[int, str] = {}

    def copied(self, original: Callable[..., Any], value: Any, *rest: Any) -> Any:
        """Note the network and its average when the first is copied: so both releases begin an average."""
        if self.net is not None or not isinstance(value, nn.Module):
            return original(value, *rest)
        self.net = _exact(value)
        self.average = original(value, *rest)
        self.record.start = tensors_of(value)
        self._names = {id(p): name for name, p in value.named_parameters()}
        return self.average

    def stepping(self, optimiser: torch.optim.Optimizer) -> None:
        """Note rates, and of the first step gradients, before the optimiser steps."""
        assert self.net is not None  # noqa: S101  both releases copy first
        groups = [(self._names[id(p)], group) for group in optimiser.param_groups for p in group["params"]]
        self.record.rates.append({name: float(group["lr"]) for name, group in groups})
        self.record.decays = {name: float(group["weight_decay"]) for name, group in groups}
        if not self.record.gradients:
            self.record.gradients = gradients_of(self.net)

    def finished(self) -> Record:
        """Return the record, with the weights as they are now."""
        assert self.net is not None  # noqa: S101  it has been trained
        assert self.average is not None  # noqa: S101
        self.record.weights, self.record.average = tensors_of(self.net), tensors_of(self.average)
        return self.record


def _exact(net: nn.Module) -> nn.Module:
    """Make a network compute in float64 and draw nothing, so that two ways of the same sums can be told apart."""
    for part in net.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if hasattr(part, "drop_prob"):  # timm's stochastic depth
            part.drop_prob = 0.0  # type: ignore[assignment]
    return net.double()


def run_public(
    script: Path,
    arguments: list[str],
    batches: list[Any],
    *,
    length: int,
    files: Mapping[str, Tensors],
    work: Path,
    loaders: ModuleType | None = None,
) -> Record:
    """Run a public training script until the batches are used up.

    Args:
        script: its file.
        arguments: of its command line.
        batches: as its loop takes them.
        length: batches of an epoch.
        files: weights that it finds, by the name of the file.
        work: the folder that it runs in.
        loaders: stands in for the module of its data.
    """
    recorder = Recorder()
    with _surroundings(script, arguments, work), ExitStack() as patches:
        for name in _NOT_NEEDED:
            sys.modules[name] = MagicMock()
        sys.modules["fastvqa.datasets"] = _datasets()
        if loaders is not None:
            sys.modules[loaders.__name__] = loaders
        for each in _patches(recorder, batches, length, files):
            patches.enter_context(each)
        for quiet in (redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO())):
            patches.enter_context(quiet)
        with suppress(EnoughStepsError):
            runpy.run_path(str(script), run_name="__main__")
    return recorder.finished()


def _datasets() -> ModuleType:
    module = ModuleType("fastvqa.datasets")
    module.FusionDataset = lambda _options: MagicMock(video_infos=[])  # type: ignore[attr-defined]
    return module


@contextmanager
def _surroundings(script: Path, arguments: list[str], work: Path) -> Iterator[None]:
    """Give a script its command line, folder and modules; afterwards all is as it was."""
    before = Path.cwd()
    with (
        patch.dict(sys.modules),
        patch.dict(os.environ),
        patch.object(sys, "argv", [script.name, *arguments]),
        patch.object(sys, "path", [str(script.parent), *sys.path]),
    ):
        os.chdir(work)
        try:
            yield
        finally:
            os.chdir(before)


def _patches(recorder: Recorder, batches: list[Any], length: int, files: Mapping[str, Tensors]) -> list[Any]:
    deepcopy, backward = copy.deepcopy, torch.Tensor.backward

    class Recorded(torch.optim.AdamW):
        def step(self, *given: Any, **named: Any) -> Any:
            recorder.stepping(self)
            return super().step(*given, **named)

    def noted(loss: torch.Tensor, *given: Any, **named: Any) -> None:
        recorder.record.losses.append(float(loss.detach()))
        backward(loss, *given, **named)

    def loader(*_given: Any, **named: Any) -> GivenBatches:
        recorder.record.batch_size = max(recorder.record.batch_size, int(named["batch_size"]))
        return GivenBatches(batches, length)

    def load(path: str, **_named: Any) -> dict[str, Tensors]:
        return {"state_dict": dict(files[Path(path).name])}

    def without_weights(name: str, **named: Any) -> nn.Module:
        return create(name, **(named | {"pretrained": False}))

    import timm  # noqa: PLC0415  slow, and the Video Swin's script does without it

    create = timm.create_model
    return [
        stays_float64(),
        patch("copy.deepcopy", lambda value, *rest: recorder.copied(deepcopy, value, *rest)),
        patch("torch.optim.AdamW", Recorded),
        patch.object(torch.Tensor, "backward", noted),
        patch("torch.utils.data.DataLoader", loader),
        patch("torch.load", load),
        patch("timm.create_model", without_weights),
        patch("torch.cuda.is_available", lambda: False),
        patch("torch.cuda.synchronize", lambda: None),
        patch.object(nn.Module, "cuda", lambda net, *_given: net),
    ]
