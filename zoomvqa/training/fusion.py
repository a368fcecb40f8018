"""The fusion of two trained branches: calibrated on labelled videos, one checkpoint, fine-tuned on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

import zoomvqa
from zoomvqa.calibration import FusionScale, Unit, fit_fusion
from zoomvqa.checkpoints import (
    Checkpoint,
    FusionDescription,
    IQADescription,
    VQADescription,
    load_checkpoint,
    weights_file,
)
from zoomvqa.console import say
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.pair_datamodule import PairDataModule
from zoomvqa.data.pair_dataset import PairSampling
from zoomvqa.errors import SettingsError
from zoomvqa.files import whole_file
from zoomvqa.losses import SCALE_FREE
from zoomvqa.metrics import Figures, figures_of
from zoomvqa.models.fusion.module import FusionModule
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.models.iqa.net import IQANet
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.processes import is_first_process
from zoomvqa.scoring.branches import BranchName
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.training.branch_scores import Scores, branch_scores
from zoomvqa.training.fitting import Trained, fit, start_folder
from zoomvqa.training.fold_scores import FoldScores, out_of_fold, read_fold_scores
from zoomvqa.training.report import plot_scatter, write_predictions


def fuse(
    settings: TrainSettings, branch: FusionBranch, labelled: LabelledSet, resume_from: Path | None = None
) -> Trained:
    """Calibrate two branches on labelled videos, and train them through the fusion where that is wanted.

    Args:
        settings: of the whole run; everything is written under `settings.output`.
        branch: of the fusion.
        labelled: the set; its test split is never looked at.
        resume_from: the checkpoint of a fine-tuning that was stopped.

    Returns:
        With the figures on the videos that it was fitted on; after fine-tuning, of the best validation.

    Raises:
        UserError: a checkpoint is of the wrong branch, a video cannot be read, or the scores cannot be calibrated.
    """
    _refuse_losses(branch)
    output, videos = Path(settings.output), _calibrating(branch, labelled)
    (iqa, iqa_file), (vqa, vqa_file) = _load(settings, "iqa"), _load(settings, "vqa")
    made_from = [[str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns] for p in (iqa_file, vqa_file)]
    accelerator, reader = settings.trainer.accelerator, settings.data.reader
    folds: dict[BranchName, FoldScores] = {}
    if branch.split == "folds":
        folds = {"iqa": read_fold_scores(iqa_file, "iqa"), "vqa": read_fold_scores(vqa_file, "vqa")}
    found = branch_scores(output, {"iqa": iqa, "vqa": vqa}, made_from, videos, accelerator, reader)
    for name, kept in folds.items():
        found[name] = _out_of_fold(name, found[name], videos, iqa if name == "iqa" else vqa, kept)
    mos = np.array([video.mos for video in videos])
    share = None if branch.share == "fit" else branch.share
    scale = fit_fusion(found["iqa"], found["vqa"], mos, labelled.mos_range, branch.split, share)
    config = settings.model_dump(mode="json")
    about = _described(iqa, vqa, scale, labelled, config)
    net = FusionNet(cast("IQANet", iqa.build_net()), cast("VQANet", vqa.build_net()), scale)
    figures = _tell(scale, found, mos, labelled.mos_range)
    if is_first_process() and resume_from is None:
        start_folder(output, config)
        _save(output, "calibrated" if branch.finetune else "best", about, net, figures)
        _report(output, videos, found, about, figures)
    if branch.finetune:
        return _finetune(settings, branch, labelled, net, about, resume_from)
    say(f"Fused checkpoint: {output / 'checkpoints' / 'best.ckpt'}")
    return Trained(figures, Unit(known=True, scale=labelled.mos_range))


def _calibrating(branch: FusionBranch, labelled: LabelledSet) -> tuple[LabelledVideo, ...]:
    """Return the videos that the calibration is fitted on."""
    if branch.split == "folds":
        return labelled.part("train") + labelled.part("val")
    return labelled.part(branch.split)


def _out_of_fold(
    name: BranchName,
    scores: NDArray[np.float64],
    videos: tuple[LabelledVideo, ...],
    checkpoint: Checkpoint,
    folds: FoldScores,
) -> NDArray[np.float64]:
    """Return a branch's scores with those of training videos replaced, see `zoomvqa.training.fold_scores`."""
    about = checkpoint.description
    has_unit = about.unit == "mos" and about.calibration is None
    return out_of_fold(scores, videos, folds, has_unit=has_unit, key=name)


def _refuse_losses(branch: FusionBranch) -> None:
    """Refuse to fine-tune with a loss that would let the fused score leave MOS units."""
    if branch.finetune and branch.loss.name in SCALE_FREE:
        raise SettingsError(
            f"branch.loss.name: got '{branch.loss.name}', expected smooth_l1, l1 or mse: the fused score is in "
            "MOS units, and this loss has none"
        )


def _load(settings: TrainSettings, name: str) -> tuple[Checkpoint, Path]:
    source = settings.iqa if name == "iqa" else settings.vqa
    if source is None:
        raise SettingsError(f"{name}: a value is missing; give {name}=CHECKPOINT")
    path = weights_file(source, name)
    if (Path(settings.output) / "checkpoints").resolve() in path.resolve().parents:
        raise SettingsError(f"output: {settings.output} is the run that {name}={source} is from; give another")
    checkpoint = load_checkpoint(path)
    if checkpoint.description.branch != name:
        raise SettingsError(
            f"{name}: {source} is a checkpoint of the {checkpoint.description.branch} branch, expected one of the "
            f"{name} branch"
        )
    say(f"{name.upper()} branch from {source}: {checkpoint.told}, {len(checkpoint.weights)} tensors")
    return checkpoint, path


def _described(
    iqa: Checkpoint, vqa: Checkpoint, scale: FusionScale, labelled: LabelledSet, config: dict[str, Any]
) -> FusionDescription:
    return FusionDescription(
        version=zoomvqa.__version__,
        mos_range=labelled.mos_range,
        trained_on=labelled.name,
        config=config,
        iqa=cast("IQADescription", iqa.description),
        vqa=cast("VQADescription", vqa.description),
        scale=scale,
        contents=labelled.contents,
        split="drawn" if labelled.drawn else "given",
    )


def _tell(scale: FusionScale, found: Scores, mos: np.ndarray, mos_range: tuple[float, float]) -> Figures:
    """Print the figures on the videos that the calibration was fitted on, and return the fused ones."""
    iqa, vqa = (torch.from_numpy(found[name]) for name in ("iqa", "vqa"))
    say(f"Calibrated on the {scale.videos} videos of the {scale.split} split, with {scale.share:.2f} of IQA:")
    predicted = {"IQA": scale.iqa.logistic(iqa), "VQA": scale.vqa.logistic(vqa), "fused": scale.fused(iqa, vqa)}
    figures = {name: figures_of(scores, torch.from_numpy(mos)) for name, scores in predicted.items()}
    for name, told in figures.items():
        say(f"  {name:5}  {told.told(Unit(known=True, scale=mos_range))}")
    return figures["fused"]


def _save(output: Path, name: str, about: FusionDescription, net: FusionNet, figures: Figures) -> None:
    entry = about.model_dump(mode="json") | {"figures": figures._asdict()}
    weights = {f"net.{key}": value for key, value in net.state_dict().items()}
    with whole_file(output / "checkpoints" / f"{name}.ckpt", "wb") as handle:
        torch.save({"zoomvqa": entry, "state_dict": weights}, handle)


def _report(
    output: Path,
    videos: tuple[LabelledVideo, ...],
    found: Scores,
    about: FusionDescription,
    figures: Figures,
) -> None:
    fused = about.scale.fused(torch.from_numpy(found["iqa"]), torch.from_numpy(found["vqa"]))
    mos = torch.tensor([video.mos for video in videos])
    write_predictions(output / "fit_predictions.csv", [video.name for video in videos], fused, mos)
    plot_scatter(output / "fit_scatter.png", fused, mos, figures, Unit(known=True, scale=about.mos_range))


def _finetune(
    settings: TrainSettings,
    branch: FusionBranch,
    labelled: LabelledSet,
    net: FusionNet,
    about: FusionDescription,
    resume_from: Path | None,
) -> Trained:
    view = about.vqa.view
    sampling = PairSampling(about.iqa.sampling, about.iqa.view, about.vqa.sampling, view, settings.data.reader)
    data = PairDataModule(labelled, sampling, branch.loading, settings.seed)
    module = FusionModule(net.train(), view, branch.loss, branch.optimiser, about.model_dump(mode="json"))
    name = f"{about.iqa.network.backbone} and {about.vqa.network.backbone}"
    return fit(settings, module, data, name, fresh=False, resume_from=resume_from)
