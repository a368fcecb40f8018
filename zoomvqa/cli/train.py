"""`train.py` and `zoomvqa-train`: train one branch."""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from zoomvqa.allocation import keep_freed_memory
from zoomvqa.cli.app import OK, SOME_FAILED, Result, run
from zoomvqa.cli.targets import make, refuse_bad_targets, refuse_targets_of_a_folder
from zoomvqa.console import say
from zoomvqa.data.join_sets import join_sets
from zoomvqa.data.labelled_set import LabelledSet, load_set
from zoomvqa.data.placeholders import refuse_placeholders
from zoomvqa.download import quiet_hub
from zoomvqa.errors import SettingsError
from zoomvqa.ladder.demo import build_demo
from zoomvqa.processes import is_first_process
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.data import DataSettings, SeveralSets
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.settings.registry import SAMPLINGS


def main() -> None:
    """Run the command."""
    run("train", TrainSettings, _train)


def labelled_set(settings: DataSettings | SeveralSets) -> LabelledSet:
    """Return the set, or the joined sets, that `settings` name; the demo's is built where it is not there."""
    if isinstance(settings, SeveralSets):
        return join_sets({name: labelled_set(one) for name, one in settings.sets.items()}, settings.weights)
    if settings.name == "demo":
        build_demo(Path(settings.root))
    return load_set(settings)


def _train(settings: TrainSettings) -> float | Result:
    quiet_hub()
    keep_freed_memory()
    from zoomvqa.training.made import made_by  # noqa: PLC0415  Lightning is slow to import; mistakes should show fast

    refuse_bad_targets(settings)
    with made_by(make):
        return _run(settings)


def _run(settings: TrainSettings) -> float | Result:
    from zoomvqa.training.run import train  # noqa: PLC0415

    if settings.protocol is not None:
        return _protocol(settings)
    settings, resume_from = _resumed(settings)
    _refuse_sweep_of_many_processes(settings)
    _refuse_frames_for_clips(settings)
    there = (Path(settings.output) / "checkpoints").exists()
    if is_first_process() and there and not settings.overwrite and settings.resume is None:
        raise SettingsError(
            f"output: {settings.output} already holds a run; give another output=, resume=auto or overwrite=true"
        )
    if is_first_process() and settings.resume is None:
        _refuse_what_is_there(settings)
    labelled = labelled_set(settings.data)
    refuse_placeholders(labelled)
    if is_first_process() and settings.weights.source == "imagenet":  # a minute without a word, where it cannot
        say("weights=imagenet: downloading them, where they are not in the cache")
    trained = train(settings, labelled, resume_from)
    if is_first_process() and settings.probe is not None:
        _tell_probe(settings, labelled)
    return Result(float(trained.figures.selection), SOME_FAILED if trained.ended_constant else OK)


def _tell_probe(settings: TrainSettings, labelled: LabelledSet) -> None:
    """Print what the probe says of the validation videos, and write its scores into the run's folder."""
    from zoomvqa.evaluation.methods import Tested  # noqa: PLC0415
    from zoomvqa.evaluation.probe import tell_probe  # noqa: PLC0415

    assert settings.probe is not None  # noqa: S101  the caller has looked
    reader = "auto" if isinstance(settings.data, SeveralSets) else settings.data.reader
    tested = Tested(labelled.name, labelled.part("val"), "val", reader)
    tell_probe(labelled, tested, settings.probe, Path(settings.output))


def _refuse_what_is_there(settings: TrainSettings) -> None:
    """Refuse to replace the files of somebody else, and a run that this one starts from."""
    from zoomvqa.training.resume import refuse_other_folder  # noqa: PLC0415

    output = Path(settings.output)
    refuse_other_folder(output)
    replaced = (output / "checkpoints").resolve()
    given = {key: getattr(settings, key) for key in settings.SHORT_SOURCES}
    given |= {f"fuse.{name}": source for name, source in settings.fuse.items()}
    for key, source in [("weights.source", settings.weights.source), *given.items()]:
        if source is not None and replaced in Path(source).expanduser().resolve().parents:
            raise SettingsError(f"output: {output} is the run that {key}={source} is from; give another")


def _protocol(settings: TrainSettings) -> Result:
    """Train and test every split of a protocol."""
    from zoomvqa.evaluation.protocol import run_protocol  # noqa: PLC0415

    assert settings.protocol is not None  # noqa: S101  the caller has looked
    _refuse_sweep_of_many_processes(settings)
    _refuse_frames_for_clips(settings)
    if not settings.trainer.one_process and settings.protocol.kind != "official":
        raise SettingsError(
            f"trainer.devices: got {settings.trainer.devices} with protocol={settings.protocol.kind}, expected 1: "
            "share the splits out instead, one process a device, with protocol.only=[0,1], protocol.only=[2,3], … "
            "and the same output"
        )
    if settings.resume not in {None, "auto"}:
        raise SettingsError(
            f"resume: got {settings.resume!r}, expected auto: a protocol goes on with all its runs"
        )
    data = settings.data
    if isinstance(data, SeveralSets):
        raise SettingsError("protocol: got several sets, expected one: a protocol splits one set")
    if settings.protocol.kind == "official":  # only what the set itself tells; the rest is the protocol's to say
        data = data.model_copy(update={"val_share": 0.0, "test_share": 0.0})
    labelled = labelled_set(data)
    refuse_placeholders(labelled, ("train", "val", "test"))
    value, failed = run_protocol(settings, labelled)
    return Result(value, SOME_FAILED if failed else OK)


def _refuse_frames_for_clips(settings: TrainSettings) -> None:
    if settings.data.layout != "frames":
        return
    branch = settings.branch
    if isinstance(branch, FusionBranch) or not SAMPLINGS.build(branch.sampling).takes_folders:
        raise SettingsError(
            "data.layout: got 'frames', expected 'videos': clips are taken from the videos themselves"
        )


def _resumed(settings: TrainSettings) -> tuple[TrainSettings, Path | None]:
    """Return the settings of the run that goes on, and its checkpoint; None where it starts.

    A run that was stopped before it had a checkpoint starts again.
    """
    from zoomvqa.training.resume import last_checkpoint, longer, refuse_other_settings, settings_of  # noqa: PLC0415

    if settings.resume is None:
        return settings, None
    if settings.resume == "auto":
        output = Path(settings.output)
        if not (output / "checkpoints").exists():
            return settings, None
        refuse_other_settings(settings)
    else:
        given = [o for o in HydraConfig.get().overrides.task if not o.startswith("resume=")]
        if others := [o for o in given if not o.startswith("trainer.max_epochs=")]:
            raise SettingsError(
                "resume: the run's own settings are used, so nothing else but trainer.max_epochs may be given: "
                f"{others[0]}"
            )
        output, epochs = Path(settings.resume).expanduser(), settings.trainer.max_epochs
        settings = settings_of(output)
        refuse_targets_of_a_folder(output, settings)
        if given:
            settings = longer(settings, epochs)
    _refuse_nothing_to_go_on_with(output, settings)
    last = last_checkpoint(output)
    return settings, last if last.is_file() else None


def _refuse_nothing_to_go_on_with(output: Path, settings: TrainSettings) -> None:
    """Refuse a finished run without its last checkpoint: to begin it again would replace it."""
    from zoomvqa.training.resume import begins_again, last_checkpoint  # noqa: PLC0415

    calibrates = isinstance(settings.branch, FusionBranch) and not settings.branch.finetune
    if not last_checkpoint(output).is_file() and not begins_again(output, calibrates=calibrates):
        raise SettingsError(
            f"resume: {output} holds a finished run, but no checkpoints/last.ckpt to go on from; give "
            "another output, or overwrite=true without resume"
        )


def _refuse_sweep_of_many_processes(settings: TrainSettings) -> None:
    """Refuse `-m` with several devices: each process would start the whole sweep again."""
    sweeping = HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
    if sweeping and not settings.trainer.one_process:
        raise SettingsError(
            f"trainer.devices: got {settings.trainer.devices} in a sweep (-m), expected 1: every further process "
            "would run the whole sweep again; sweep with one device a job, or start each job by itself"
        )
