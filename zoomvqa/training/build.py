"""What a branch is trained with: its network with its starting weights, and its data."""

from __future__ import annotations

from typing import Any, NamedTuple

from zoomvqa.checkpoints import start_from, weights_file
from zoomvqa.console import say
from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.data.part_training import PartTraining
from zoomvqa.data.training_source import TrainingSource
from zoomvqa.data.video_training import VideoTraining
from zoomvqa.errors import SettingsError
from zoomvqa.models.base import BranchNet, as_branch_net
from zoomvqa.settings.branch import BranchSettings, PartLoading
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.registry import NETWORKS
from zoomvqa.settings.shared import StartingWeights
from zoomvqa.training.module import QualityModule
from zoomvqa.video.reader import ReaderName
from zoomvqa.views import Look, look_of


class Built(NamedTuple):
    """What a run is put together from.

    Attributes:
        module: trains the branch.
        data: feeds it.
        new_head: whether the head has none but random weights.
    """

    module: QualityModule
    data: VideoDataModule
    new_head: bool


def build_branch(
    settings: TrainSettings, branch: BranchSettings, labelled: LabelledSet, description: dict[str, Any]
) -> Built:
    """Return what trains a branch, and what feeds it.

    Args:
        settings: of the whole run.
        branch: of the branch.
        labelled: the set to train on.
        description: what the run's checkpoints say of themselves.

    Raises:
        UserError: the settings do not fit the data or each other, or starting weights cannot be had.
    """
    _refuse_lonely_samples(branch)
    looks, reader = {branch.name: look_of(branch.sampling, branch.view)}, settings.data.reader
    source = _source(branch, looks, reader, settings.seed)
    net, new_head = _started(branch, looks[branch.name], settings.weights)
    module = QualityModule(net, looks, branch.loss, branch.optimiser, description, branch.mixing)
    data = VideoDataModule(labelled, looks, source, branch.loading.workers, reader)
    _tell_start(settings.weights)  # a mistake in what is built is told alone
    return Built(module, data, new_head)


def _source(branch: BranchSettings, looks: dict[str, Look], reader: ReaderName, seed: int) -> TrainingSource:
    if isinstance(branch.loading, PartLoading):
        ((name, look),) = looks.items()
        return PartTraining(name, look, branch.loading, reader, seed)
    return VideoTraining(looks, branch.loading, reader, seed)


def _started(branch: BranchSettings, look: Look, weights: StartingWeights) -> tuple[BranchNet, bool]:
    """Return the network with its starting weights, and whether its head has none but random ones."""
    own = weights.source if weights.source in branch.network.own_weights else "none"
    net = as_branch_net(NETWORKS.build(branch.network, look.example(), own))
    if weights.source in {own, "none"}:
        return net, True
    path = weights_file(weights.source, "weights")
    return net, not start_from(net, path, strict=weights.strict, fragment_bias=weights.fragment_bias)


def _refuse_lonely_samples(branch: BranchSettings) -> None:
    """Refuse a batch of one with a loss that compares the samples of a batch: nothing would be learned."""
    if branch.loss.scale_free and branch.loading.batch_size == 1:
        raise SettingsError(
            f"branch.loading.batch_size: got 1, expected at least 2: the loss {branch.loss.name} compares the "
            "samples of a batch"
        )


def _tell_start(weights: StartingWeights) -> None:
    """Say what a run without weights starts from, and that it is not what its recipe was published with."""
    if weights.source == "none":
        say("Starting from random weights (weights=none)")
    if weights.published is not None and weights.source != weights.published:
        say(
            f"Warning: this recipe was published with weights={weights.published}, and this run has "
            f"weights={weights.source}: its figures cannot be those of the publication"
        )
