"""`scripts/evaluate.py`: checkpoints, or anyone's predictions, against the opinions on labelled sets."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from zoomvqa.allocation import keep_freed_memory
from zoomvqa.cli.app import OK, SOME_FAILED, run
from zoomvqa.cli.train import labelled_set
from zoomvqa.data.labelled_set import LabelledSet, annotation_files, load_without_files
from zoomvqa.errors import SettingsError
from zoomvqa.evaluation.methods import (
    Effort,
    load_method,
    method_names,
    part_to_judge,
    read_method,
    run_checkpoint,
    run_methods,
)
from zoomvqa.evaluation.probe import run_probe
from zoomvqa.evaluation.report import FILES, Options, refuse_other_report, report
from zoomvqa.outputs import refuse_inputs
from zoomvqa.scoring.branches import find_device
from zoomvqa.settings.commands import EvaluateSettings
from zoomvqa.settings.data import DataSettings, SeveralSets


def main() -> None:
    """Run the command."""
    run("evaluate", EvaluateSettings, _evaluate)


def _evaluate(settings: EvaluateSettings) -> int:
    if (settings.ckpt is None) == (settings.predictions is None):
        raise SettingsError("ckpt: give either ckpt=FILE or predictions=TABLE")
    sources = settings.ckpt if settings.ckpt is not None else settings.predictions
    sources = [sources] if isinstance(sources, str) else list(sources or [])
    if not sources:
        key = "ckpt" if settings.ckpt is not None else "predictions"
        raise SettingsError(f"{key}: got an empty list, expected a file")
    names = method_names(sources, settings.names)
    judged = _sets(settings)
    output = Path(settings.output).expanduser()
    _refuse_what_is_there(settings, output, sources, judged)
    methods: dict[str, Any] = dict(zip(names, sources, strict=True))
    method: Any = read_method
    if settings.ckpt is not None:  # a wrong one is told before a set is built, or another has scored for hours
        methods = {name: load_method(source) for name, source in methods.items()}
        if find_device(settings.device).type == "cpu":
            keep_freed_memory()
        method = partial(run_checkpoint, output=output, effort=Effort(**_effort(settings)))
    labelled = [_labelled(settings, each) for each in judged]
    sets = [
        part_to_judge(one, settings.split, data.reader, data.endings)
        for one, data in zip(labelled, judged, strict=True)
    ]
    results = run_methods(methods, partial(method, sets=sets))
    if settings.probe is not None:
        probes = [run_probe(one, tested, settings.probe) for one, tested in zip(labelled, sets, strict=True)]
        for outcome in filter(None, probes):
            results[outcome.set].append(outcome)
    report(results, output, Options(settings.parameters, settings.resamples, settings.published))
    incomplete = any(outcome.missing for outcomes in results.values() for outcome in outcomes)
    return SOME_FAILED if incomplete else OK


def _refuse_what_is_there(
    settings: EvaluateSettings, output: Path, sources: list[str], judged: list[DataSettings]
) -> None:
    """Refuse to write over what is read, and into a folder of somebody else's files of the same names."""
    outputs = [output / name for name in FILES]
    refuse_inputs(outputs, "ckpt" if settings.ckpt is not None else "predictions", sources)
    for data in judged:
        key = "annotations" if settings.annotations is not None else "data.annotations"
        refuse_inputs(outputs, key, annotation_files(data) if data.annotations is not None else [])
    refuse_other_report(output)


def _effort(settings: EvaluateSettings) -> dict[str, Any]:
    return settings.model_dump(include={"device", "precision", "workers", "patience"})


def _sets(settings: EvaluateSettings) -> list[DataSettings]:
    """Return the settings of each set; a bare table of opinions is one too."""
    if settings.annotations is not None:
        if settings.predictions is None or settings.data is not None:
            raise SettingsError(
                "annotations: the table for predictions=TABLE; for a checkpoint give data=folder data.root=VIDEOS "
                "data.annotations=TABLE"
            )
        return [
            DataSettings(
                name=Path(settings.annotations).stem, root=".", annotations=settings.annotations, val_share=0.0
            )
        ]
    if settings.data is None:
        raise SettingsError(
            "data: a value is missing; give data=NAME data.root=FOLDER, or data=[lsvq_test,konvid1k]"
        )
    if isinstance(settings.data, SeveralSets):
        return [one.model_copy(update={"name": name}) for name, one in settings.data.sets.items()]
    return [settings.data]


def _labelled(settings: EvaluateSettings, data: DataSettings) -> LabelledSet:
    if settings.split in {"auto", "all"}:  # only what the set itself says counts
        data = data.model_copy(update={"val_share": 0.0, "test_share": 0.0})
    files = settings.predictions is None or settings.probe is not None
    return labelled_set(data) if files else load_without_files(data)
