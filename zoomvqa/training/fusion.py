"""The fusion of two trained branches: calibrated on labelled videos, one checkpoint, fine-tuned on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

import zoomvqa
from zoomvqa.calibration import FusionScale, fit_fusion
from zoomvqa.checkpoints import (
    Checkpoint,
    FusionDescription,
    IQADescription,
    VQADescription,
    load_checkpoint,
    weights_file,
)
from zoomvqa.console import progress, say
from zoomvqa.data.frame_source import open_store
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.opening import summary_of
from zoomvqa.data.pair_datamodule import PairDataModule
from zoomvqa.data.pair_dataset import PairSampling
from zoomvqa.errors import AnnotationError, SettingsError, VideoError
from zoomvqa.files import whole_file
from zoomvqa.metrics import Figures, figures_of
from zoomvqa.models.fusion.module import FusionModule
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import IQANet
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.processes import is_first_process
from zoomvqa.scoring.branches import BranchName, branch_scorers, find_device, mean_score, score_parts
from zoomvqa.scoring.parts import PartScorer
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.training.fitting import fit, start_folder
from zoomvqa.training.report import plot_scatter, write_predictions

_DEVICES = {"auto": "auto", "cpu": "cpu", "gpu": "cuda", "mps": "mps"}


def fuse(settings: TrainSettings, branch: FusionBranch, labelled: LabelledSet) -> Figures:
    """Calibrate two branches on labelled videos, and train them through the fusion where that is wanted.

    Args:
        settings: of the whole run; everything is written under `settings.output`.
        branch: of the fusion.
        labelled: the set; its test split is never looked at.

    Returns:
        The figures on the videos that it was fitted on; after fine-tuning, of the best validation.

    Raises:
        UserError: a checkpoint is of the wrong branch, a video cannot be read, or the scores cannot be calibrated.
    """
    iqa, vqa = _load(settings.iqa, "iqa"), _load(settings.vqa, "vqa")
    videos = labelled.part(branch.split)
    mos = np.array([video.mos for video in videos])
    found = _score(settings, iqa, vqa, videos)
    share = None if branch.share == "fit" else branch.share
    scale = fit_fusion(found["iqa"], found["vqa"], mos, labelled.mos_range, branch.split, share)
    about = _described(iqa, vqa, scale, labelled, settings.model_dump(mode="json"))
    net = _joined(iqa, vqa, scale)
    if branch.finetune:
        return _finetune(settings, branch, labelled, net, about)
    return _save(settings, about, net, videos, found)


def _load(source: str | None, name: str) -> Checkpoint:
    if source is None:
        raise SettingsError(f"{name}: a value is missing; give {name}=CHECKPOINT")
    checkpoint = load_checkpoint(weights_file(source, name))
    if checkpoint.description.branch != name:
        raise SettingsError(
            f"{name}: {source} is a checkpoint of the {checkpoint.description.branch} branch, expected one of the "
            f"{name} branch"
        )
    return checkpoint


def _score(
    settings: TrainSettings, iqa: Checkpoint, vqa: Checkpoint, videos: tuple[LabelledVideo, ...]
) -> dict[BranchName, NDArray[np.float64]]:
    """Return each branch's own score of every video; both look at one decoding."""
    device, reader = find_device(_DEVICES[settings.trainer.accelerator]), settings.data.reader
    scorers: dict[BranchName, PartScorer] = {}
    for checkpoint in (iqa, vqa):
        scorers |= branch_scorers(checkpoint.description, checkpoint.build_net().to(device), device)
    scores: dict[BranchName, list[float]] = {"iqa": [], "vqa": []}
    failures: list[tuple[str, str]] = []
    with progress() as bar:
        for video in bar.track(videos, description="Scoring with both branches"):
            try:
                found = score_parts(scorers, open_store(video.path, reader), device)
            except VideoError as error:
                failures.append((video.name, str(error)))
                continue
            for name, parts in found.items():
                scores[name].append(mean_score(parts))
    if failures:
        raise AnnotationError(summary_of(failures, len(videos)))
    return {name: np.array(values, dtype=np.float64) for name, values in scores.items()}


def _described(
    iqa: Checkpoint, vqa: Checkpoint, scale: FusionScale, labelled: LabelledSet, config: dict[str, Any]
) -> FusionDescription:
    assert isinstance(iqa.description, IQADescription)  # noqa: S101  looked at when they were loaded
    assert isinstance(vqa.description, VQADescription)  # noqa: S101
    return FusionDescription(
        version=zoomvqa.__version__,
        mos_range=labelled.mos_range,
        trained_on=labelled.name,
        config=config,
        iqa=iqa.description,
        vqa=vqa.description,
        scale=scale,
    )


def _joined(iqa: Checkpoint, vqa: Checkpoint, scale: FusionScale) -> FusionNet:
    return FusionNet(cast("IQANet", iqa.build_net()), cast("VQANet", vqa.build_net()), scale)


def _save(
    settings: TrainSettings,
    about: FusionDescription,
    net: FusionNet,
    videos: tuple[LabelledVideo, ...],
    found: dict[BranchName, NDArray[np.float64]],
) -> Figures:
    output, scale = Path(settings.output), about.scale
    mos = torch.tensor([video.mos for video in videos])
    scores = {name: torch.from_numpy(values) for name, values in found.items()}
    fused = scale.fused(scores["iqa"], scores["vqa"])
    figures = figures_of(fused, mos)
    say(f"Calibrated on the {scale.videos} videos of the {scale.split} split, with {scale.share:.2f} of IQA:")
    told = {"IQA": scale.iqa.logistic(scores["iqa"]), "VQA": scale.vqa.logistic(scores["vqa"]), "fused": fused}
    for name, predicted in told.items():
        say(f"  {name:5}  {figures_of(predicted, mos).told}")
    if is_first_process():
        start_folder(output, settings.model_dump(mode="json"))
        entry = about.model_dump(mode="json") | {"figures": figures._asdict()}
        with whole_file(output / "checkpoints" / "best.ckpt", "wb") as handle:
            torch.save(
                {"zoomvqa": entry, "state_dict": {f"net.{k}": v for k, v in net.state_dict().items()}}, handle
            )
        names = [video.name for video in videos]
        write_predictions(output / "fit_predictions.csv", names, fused, mos)
        plot_scatter(output / "fit_scatter.png", fused, mos, figures)
    say(f"Fused checkpoint: {output / 'checkpoints' / 'best.ckpt'}")
    return figures


def _finetune(
    settings: TrainSettings, branch: FusionBranch, labelled: LabelledSet, net: FusionNet, about: FusionDescription
) -> Figures:
    view = about.vqa.view
    sampling = PairSampling(about.iqa.sampling, about.iqa.view, about.vqa.sampling, view, settings.data.reader)
    data = PairDataModule(labelled, sampling, branch.loading, settings.seed)
    net.train()
    module = FusionModule(net, view, branch.loss, branch.optimiser, about.model_dump(mode="json"))
    return fit(settings, module, data, f"{about.iqa.network.backbone} and {about.vqa.network.backbone}")
