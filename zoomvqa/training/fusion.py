"""The fusion of trained branches: calibrated on labelled videos, one checkpoint, fine-tuned on request."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import zoomvqa
from zoomvqa.calibration import FusionScale, Unit, fit_fusion
from zoomvqa.checkpoints import BranchDescription, Checkpoint, FusionDescription, load_checkpoint, weights_file
from zoomvqa.console import say
from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.video_training import VideoTraining
from zoomvqa.errors import SettingsError
from zoomvqa.files import whole_file
from zoomvqa.metrics import Figures, figures_of
from zoomvqa.models.base import as_branch_net
from zoomvqa.models.fusion.net import FusionNet
from zoomvqa.processes import is_first_process
from zoomvqa.settings.branch import check_branch_name
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.training.branch_scores import Scores, branch_scores
from zoomvqa.training.fitting import Trained, fit, start_folder
from zoomvqa.training.fold_scores import FoldScores, out_of_fold, read_fold_scores
from zoomvqa.training.module import QualityModule
from zoomvqa.training.report import plot_scatter, write_predictions


class _Source(NamedTuple):
    """A branch that is fused.

    Attributes:
        key: of the setting that names it, for messages.
        file: its checkpoint.
        checkpoint: what is in it.
        about: its branch.
    """

    key: str
    file: Path
    checkpoint: Checkpoint
    about: BranchDescription


def fuse(
    settings: TrainSettings, branch: FusionBranch, labelled: LabelledSet, resume_from: Path | None = None
) -> Trained:
    """Calibrate branches on labelled videos, and train them through the fusion where that is wanted.

    Args:
        settings: of the whole run; everything is written under `settings.output`.
        branch: of the fusion.
        labelled: the set; its test split is never looked at.
        resume_from: the checkpoint of a fine-tuning that was stopped.

    Returns:
        With the figures on the videos that it was fitted on; after fine-tuning, of the best validation.

    Raises:
        UserError: a checkpoint is not of one branch, a video cannot be read, or the scores cannot be calibrated.
    """
    _refuse_losses(branch)
    output, videos = Path(settings.output), _calibrating(branch, labelled)
    sources = {name: _load(settings, name, given) for name, given in sources_of(settings).items()}
    weights = _weights(branch, list(sources))
    files = [source.file for source in sources.values()]
    made_from = [[str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    folds: dict[str, FoldScores] = {}
    if branch.split == "folds":
        folds = {name: read_fold_scores(source.file, source.key) for name, source in sources.items()}
    checkpoints = {name: source.checkpoint for name, source in sources.items()}
    reader = settings.data.reader
    found = branch_scores(output, checkpoints, made_from, videos, settings.trainer.accelerator, reader)
    for name, kept in folds.items():
        found[name] = _out_of_fold(found[name], videos, sources[name], kept)
    mos = np.array([video.mos for video in videos])
    scale = fit_fusion(found, mos, labelled.mos_range, branch.split, weights)
    about = _described(sources, scale, labelled, settings)
    nets = {name: as_branch_net(checkpoint.build_net()) for name, checkpoint in checkpoints.items()}
    net = FusionNet(nets, scale)
    figures = _tell(scale, found, mos, labelled.mos_range)
    if is_first_process() and resume_from is None:
        start_folder(output, settings.model_dump(mode="json"))
        _save(output, "calibrated" if branch.finetune else "best", about, net, figures)
        _report(output, videos, found, about, figures)
    if branch.finetune:
        return _finetune(settings, branch, labelled, net, about, resume_from)
    say(f"Fused checkpoint: {output / 'checkpoints' / 'best.ckpt'}")
    return Trained(figures, Unit(known=True, scale=labelled.mos_range))


def sources_of(settings: TrainSettings) -> dict[str, tuple[str, str]]:
    """Return the branches that are fused: by name the key of the setting, and the checkpoint that it names.

    Raises:
        SettingsError: there are none, fewer than two, or one is named twice.
    """
    short = {name: given for name in settings.SHORT_SOURCES if (given := getattr(settings, name)) is not None}
    if twice := short.keys() & settings.fuse.keys():
        name = min(twice)
        raise SettingsError(f"fuse: {name} is given as {name}=… too; give one of them")
    found = {name: (name, given) for name, given in short.items()}
    found |= {name: (f"fuse.{name}", given) for name, given in settings.fuse.items()}
    lacking = next((name for name in settings.SHORT_SOURCES if name not in found), None)
    if not settings.fuse and lacking is not None:
        raise SettingsError(f"{lacking}: a value is missing; give {lacking}=CHECKPOINT")
    if len(found) < 2:
        raise SettingsError(
            f"fuse: got {len(found)} branch, expected two at least, as fuse='{{technical: A.ckpt, other: B.ckpt}}'"
        )
    for name, (key, _) in found.items():
        check_branch_name(name, key)
    return found


def _weights(branch: FusionBranch, names: list[str]) -> dict[str, float] | None:
    """Return the weight of each branch in the average; None where they are fitted.

    Raises:
        SettingsError: they are of other branches, or all 0.
    """
    if "fit" in (branch.share, branch.weights):
        return None
    if isinstance(branch.share, float | int):
        if len(names) != 2:
            raise SettingsError(
                f"branch.share: got {branch.share} with {len(names)} branches; give branch.weights"
            )
        return dict(zip(names, (branch.share, 1 - branch.share), strict=True))
    if isinstance(branch.weights, dict):
        if set(branch.weights) != set(names) or not sum(branch.weights.values()):
            raise SettingsError(
                f"branch.weights: got {branch.weights}, expected a number for each of {', '.join(names)}, "
                "and one above 0"
            )
        total = sum(branch.weights.values())
        return {name: branch.weights[name] / total for name in names}
    return dict.fromkeys(names, 1 / len(names))


def _calibrating(branch: FusionBranch, labelled: LabelledSet) -> tuple[LabelledVideo, ...]:
    """Return the videos that the calibration is fitted on."""
    if branch.split == "folds":
        return labelled.part("train") + labelled.part("val")
    return labelled.part(branch.split)


def _out_of_fold(
    scores: NDArray[np.float64], videos: tuple[LabelledVideo, ...], source: _Source, folds: FoldScores
) -> NDArray[np.float64]:
    """Return a branch's scores with those of training videos replaced, see `zoomvqa.training.fold_scores`."""
    return out_of_fold(scores, videos, folds, has_unit=not source.about.scale_free, key=source.key)


def _refuse_losses(branch: FusionBranch) -> None:
    """Refuse to fine-tune with a loss that would let the fused score leave MOS units."""
    if branch.finetune and branch.loss.scale_free:
        raise SettingsError(
            f"branch.loss.name: got '{branch.loss.name}', expected smooth_l1, l1 or mse: the fused score is in "
            "MOS units, and this loss has none"
        )


def _load(settings: TrainSettings, name: str, given: tuple[str, str]) -> _Source:
    key, source = given
    path = weights_file(source, key)
    if (Path(settings.output) / "checkpoints").resolve() in path.resolve().parents:
        raise SettingsError(f"output: {settings.output} is the run that {key}={source} is from; give another")
    checkpoint = load_checkpoint(path)
    about = checkpoint.description
    if isinstance(about, FusionDescription):
        raise SettingsError(f"{key}: {source} is a fused checkpoint, expected one of a single branch")
    if key == name and about.branch != name:  # iqa=… and vqa=…: the other one was meant
        raise SettingsError(
            f"{key}: {source} is a checkpoint of the {about.branch} branch, expected one of the {name} branch"
        )
    say(f"{name.upper()} branch from {source}: {checkpoint.told}, {len(checkpoint.weights)} tensors")
    return _Source(key, path, checkpoint, about)


def _described(
    sources: dict[str, _Source], scale: FusionScale, labelled: LabelledSet, settings: TrainSettings
) -> FusionDescription:
    return FusionDescription(
        version=zoomvqa.__version__,
        mos_range=labelled.mos_range,
        trained_on=labelled.name,
        config=settings.model_dump(mode="json"),
        plugins=tuple(sorted({plugin for source in sources.values() for plugin in source.about.plugins})),
        branches={name: source.about.model_copy(update={"branch": name}) for name, source in sources.items()},
        scale=scale,
        contents=labelled.contents,
        split="drawn" if labelled.drawn else "given",
    )


def _tell(scale: FusionScale, found: Scores, mos: NDArray[np.float64], mos_range: tuple[float, float]) -> Figures:
    """Print the figures on the videos that the calibration was fitted on, and return the fused ones."""
    scores = {name: torch.from_numpy(own) for name, own in found.items()}
    told = ", ".join(f"{weight:.2f} of {name.upper()}" for name, weight in scale.weights.items())
    say(f"Calibrated on the {scale.videos} videos of the {scale.split} split, with {told}:")
    predicted = {name.upper(): scale.branches[name].logistic(own) for name, own in scores.items()}
    predicted["fused"] = scale.fused(scores)
    figures = {name: figures_of(scored, torch.from_numpy(mos)) for name, scored in predicted.items()}
    for name, own in figures.items():
        say(f"  {name:5}  {own.told(Unit(known=True, scale=mos_range))}")
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
    fused = about.scale.fused({name: torch.from_numpy(own) for name, own in found.items()})
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
    looks = {name: own.look for name, own in about.branches.items()}
    loading, reader = branch.loading, settings.data.reader
    source = VideoTraining(looks, loading, reader, settings.seed, loading.frames)
    data = VideoDataModule(labelled, looks, source, loading.workers, reader)
    module = QualityModule(net.train(), looks, branch.loss, branch.optimiser, about.model_dump(mode="json"))
    name = " and ".join(own.network.label for own in about.branches.values())
    return fit(settings, module, data, name, fresh=False, resume_from=resume_from)
