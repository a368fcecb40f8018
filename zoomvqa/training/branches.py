"""The LightningModule and the datamodule of the branch that the settings name."""

from __future__ import annotations

from typing import Any, NamedTuple

from zoomvqa.checkpoints import start_from, weights_file
from zoomvqa.console import say
from zoomvqa.data.clip_datamodule import ClipDataModule
from zoomvqa.data.frame_datamodule import FrameDataModule
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.errors import SettingsError
from zoomvqa.losses import SCALE_FREE
from zoomvqa.models.backbones import Weights, refuse_unknown_tag, weights_told
from zoomvqa.models.iqa.module import IQAModule
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.convnext3d import WEIGHTS_TAG
from zoomvqa.models.vqa.module import VQAModule
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.iqa import IQABranch
from zoomvqa.settings.shared import StartingWeights
from zoomvqa.settings.vqa import VQABranch

# Weights of a frame backbone that timm or a package brings.
_TIMM: dict[str, Weights] = {"imagenet": "imagenet", "package": "package"}


class Built(NamedTuple):
    """What a run is put together from.

    Attributes:
        module: trains the branch.
        data: feeds it.
        new_head: whether the head has none but random weights.
    """

    module: IQAModule | VQAModule
    data: FrameDataModule | ClipDataModule
    new_head: bool


def build_branch(
    settings: TrainSettings, branch: IQABranch | VQABranch, labelled: LabelledSet, description: dict[str, Any]
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
    built = (
        _vqa(branch, settings, labelled, description)
        if isinstance(branch, VQABranch)
        else _iqa(branch, settings, labelled, description)
    )
    _tell_start(settings.weights)  # a mistake in what is built is told alone
    return built


def _refuse_lonely_samples(branch: IQABranch | VQABranch) -> None:
    """Refuse a batch of one with a loss that compares the samples of a batch: nothing would be learned."""
    if branch.loss.name in SCALE_FREE and branch.loading.batch_size == 1:
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


def _iqa(branch: IQABranch, settings: TrainSettings, labelled: LabelledSet, description: dict[str, Any]) -> Built:
    source, new_head = settings.weights.source, True
    refuse_unknown_tag(branch.network.backbone)
    net = build_iqa_net(branch.network, branch.view.crop, _TIMM.get(source, "none"))
    if source in _TIMM:
        # A package ships one network's weights, whatever tag timm would take.
        told = weights_told(branch.network.backbone) if source == "imagenet" else branch.network.backbone
        say(f"Starting from ImageNet weights {told} ({source})")
    elif source != "none":
        new_head = not start_from(net, weights_file(source, "weights"), strict=settings.weights.strict)
    module = IQAModule(net, branch.loss, branch.mixing, branch.optimiser, description)
    reader = settings.data.reader
    data = FrameDataModule(labelled, branch.sampling, branch.view, branch.loading, reader, settings.seed)
    return Built(module, data, new_head)


def _vqa(branch: VQABranch, settings: TrainSettings, labelled: LabelledSet, description: dict[str, Any]) -> Built:
    new_head = True
    source, imagenet = settings.weights.source, settings.weights.source == "imagenet"
    frames, size = branch.sampling.clip_len, branch.view.size
    net = build_vqa_net(branch.network, frames, size, "imagenet" if imagenet else "none")
    if imagenet:
        say(f"Starting from ImageNet weights {WEIGHTS_TAG} for {branch.network.backbone}, inflated")
    if source not in {"imagenet", "none"}:
        weights = settings.weights
        path = weights_file(source, "weights")
        new_head = not start_from(net, path, strict=weights.strict, fragment_bias=weights.fragment_bias)
    module = VQAModule(net, branch.view, branch.loss, branch.optimiser, description)
    reader = settings.data.reader
    data = ClipDataModule(labelled, branch.sampling, branch.view, branch.loading, reader, settings.seed)
    return Built(module, data, new_head)
