"""A protocol: every split trained with every seed, chosen on validation, tested once; one table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoomvqa.console import say
from zoomvqa.data.labelled_set import LabelledSet
from zoomvqa.errors import SettingsError, TrainingError
from zoomvqa.evaluation.methods import Tested
from zoomvqa.evaluation.probe import run_probe
from zoomvqa.evaluation.protocol_run import Run, do_run
from zoomvqa.evaluation.splits import make_splits, write_split
from zoomvqa.evaluation.summary import Row, tell, write_summary
from zoomvqa.files import whole_file
from zoomvqa.processes import is_first_process
from zoomvqa.settings.commands import TrainSettings
from zoomvqa.settings.data import DataSettings
from zoomvqa.settings.protocol import Protocol
from zoomvqa.training.resume import flat

# What a protocol that goes on may be told anew: which runs, and where.
_FREE = (
    *("resume", "overwrite", "output", "logger", "threads", "trainer.accelerator", "trainer.log_every_n_steps"),
    *("trainer.profiler", "trainer.detect_anomaly", "trainer.enable_progress_bar", "trainer.enable_model_summary"),
    *("protocol.only", "protocol.seeds", "probe"),
)


def run_protocol(settings: TrainSettings, labelled: LabelledSet) -> tuple[float, int]:
    """Do the runs of `settings.protocol` that are not done yet, write the table of those that are.

    Args:
        settings: of the whole; runs write into folders under `settings.output`.
        labelled: the set; how it is split already counts for the official protocol alone.

    Returns:
        The mean of 0.5 · SRCC + 0.5 · PLCC on the validation of all runs, what a search may look at, and the
        number of runs whose training came to nothing; those are in no figure.

    Raises:
        UserError: see `zoomvqa.training.run.train`; what is in the output is of another protocol; or all runs came
            to nothing.
    """
    protocol, output = settings.protocol, Path(settings.output)
    assert protocol is not None and isinstance(settings.data, DataSettings)  # noqa: S101, PT018  the caller has looked
    _start(settings, output)
    splits = make_splits(labelled, protocol, own_range=settings.data.mos_range is not None)
    runs = [run for number, part in enumerate(splits) for run in _runs(settings, protocol, number, part)]
    wanted = [run for run in runs if protocol.only is None or run.split in protocol.only]
    for run in wanted:
        _refuse_other_split(run)
    for run in wanted:
        if not run.ended:
            say(f"Split {run.split} of {protocol.splits}, seed {run.seed}: {run.folder}")
            do_run(run, protocol)
            if is_first_process():  # a protocol takes days: what is done can be looked at
                write_summary(output, _done(runs), planned=len(runs))
    if is_first_process():
        done, probe = _done(runs), _probed(settings, runs)
        write_summary(output, done, planned=len(runs), probe=probe)
        title = f"{settings.branch.name} on {labelled.name}, {protocol.kind}"
        tell(done, planned=len(runs), title=title, probe=probe)
    good = _tell_failed(wanted)
    return float(np.mean([_validated(run) for run in good])), len(wanted) - len(good)


def _tell_failed(wanted: Sequence[Run]) -> list[Run]:
    """Say how many runs came to nothing, and return the others.

    Raises:
        TrainingError: all did.
    """
    failed = [run for run in wanted if run.failure.is_file()]
    if not failed:
        return list(wanted)
    reason = json.loads(failed[0].failure.read_text())["error"]
    told = (
        f"protocol: {len(failed)} of {len(wanted)} runs failed and are in no figure; delete their folders to try "
        f"them again; {failed[0].folder}: {reason}"
    )
    if len(failed) == len(wanted):
        raise TrainingError(told)
    say(told)
    return [run for run in wanted if not run.failure.is_file()]


def _probed(settings: TrainSettings, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the probe's test figures of each split that is done, where the settings ask for a probe."""
    if settings.probe is None:
        return []
    assert isinstance(settings.data, DataSettings)  # noqa: S101  a protocol has one set
    splits = {run.split: run.labelled for run in runs if run.ended}
    found = []
    for labelled in splits.values():
        tested = Tested(labelled.name, labelled.part("test"), "test", settings.data.reader)
        outcome = run_probe(labelled, tested, settings.probe)
        if outcome is not None:
            found.append(outcome.judged.figures(resamples=0).as_dict())
    return found


def _done(runs: Sequence[Run]) -> list[Row]:
    """Return the runs that are done, in whichever process."""
    return [
        Row(run.split, run.seed, json.loads(path.read_text()), str(run.folder))
        for run in runs
        if (path := run.result if run.result.is_file() else run.failure).is_file()
    ]


def _start(settings: TrainSettings, output: Path) -> None:
    """Make the folder, or see that what is in it is of the same protocol.

    Raises:
        SettingsError: it is not, or nothing was said of going on.
    """
    if not is_first_process():
        return
    kept, now = output / "protocol_settings.json", settings.model_dump(mode="json")
    if not kept.is_file() and (there := sorted(output.glob("split_*"))):
        raise SettingsError(f"output: {output} holds {there[0].name} of no protocol; give another output")
    if settings.overwrite and settings.resume is None:
        for old in output.glob("split_*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        kept.unlink(missing_ok=True)
    if not kept.is_file():
        with whole_file(kept) as handle:
            json.dump(now, handle, indent=1)
        return
    if settings.resume != "auto":
        raise SettingsError(
            f"output: {output} already holds a protocol; give another output=, resume=auto or overwrite=true"
        )
    own, new = flat(json.loads(kept.read_text())), flat(now)
    for key in sorted(own.keys() | new.keys()):
        if own.get(key) != new.get(key) and not key.startswith(_FREE):
            raise SettingsError(
                f"{key}: got {new.get(key)!r}, but the protocol in {output} that resume=auto goes on with has "
                f"{own.get(key)!r}; give another output, or overwrite=true without resume"
            )


def _runs(settings: TrainSettings, protocol: Protocol, number: int, labelled: LabelledSet) -> list[Run]:
    """Return the runs of one split, and write down what it is."""
    table = Path(settings.output) / f"split_{number:02d}.csv"
    if is_first_process():
        _write_split_once(table, labelled)
    data = settings.data.model_copy(update={"annotations": str(table), "mos_range": labelled.mos_range})
    runs = []
    for seed in protocol.seeds:
        name = f"split_{number:02d}_seed_{seed}"
        short = {key: getattr(settings, key) for key in settings.SHORT_SOURCES}
        given: dict[str, Any] = {key: _of_run(source, name, protocol) for key, source in short.items()}
        given["fuse"] = {key: _of_run(source, name, protocol) for key, source in settings.fuse.items()}
        output = str(Path(settings.output) / name)
        own = {"output": output, "seed": seed, "protocol": None, "resume": None, "overwrite": True, "data": data}
        runs.append(Run(number, seed, labelled, settings.model_copy(update=given | own)))
    return runs


def _write_split_once(table: Path, labelled: LabelledSet) -> None:
    """Write down a split, or see that it is still the one that runs of this protocol were made with.

    Raises:
        SettingsError: the annotations have changed.
    """
    before = table.read_text(encoding="utf-8") if table.is_file() else None
    write_split(table, labelled)
    if before is not None and table.read_text(encoding="utf-8") != before:
        with whole_file(table) as handle:
            handle.write(before)
        raise SettingsError(
            f"data: the annotations have changed since the runs in {table.parent}; give another output, or "
            "overwrite=true without resume"
        )


def _of_run(source: str | None, name: str, protocol: Protocol) -> str | None:
    """Return the checkpoint of the same run where a branch is named by the folder of its protocol."""
    if source is None or not (Path(source).expanduser() / "protocol_settings.json").is_file():
        return source
    used = json.loads((Path(source).expanduser() / "protocol_settings.json").read_text())["protocol"]["checkpoint"]
    found = Path(source).expanduser() / name / "checkpoints" / f"{used}.ckpt"
    if not found.is_file() and protocol.only is None:
        raise SettingsError(f"iqa and vqa: {source} has no {name}; its protocol has other splits or seeds")
    return str(found)


def _refuse_other_split(run: Run) -> None:
    """Refuse branches that were trained on another split: they have seen the videos that are tested.

    Raises:
        SettingsError: a branch's protocol has another split under this number.
    """
    given = {key: getattr(run.settings, key) for key in run.settings.SHORT_SOURCES}
    given |= {f"fuse.{name}": source for name, source in run.settings.fuse.items()}
    for key, source in given.items():
        if source is None:
            continue
        checkpoint = Path(source).absolute()
        if not checkpoint.is_file():
            continue
        theirs = checkpoint.parents[2] / f"split_{run.split:02d}.csv"
        if theirs.is_file() and theirs.read_text() != (run.folder.parent / theirs.name).read_text():
            raise SettingsError(
                f"{key}: split {run.split} of {checkpoint.parents[2].name} is not that of this protocol; "
                "give all three the same protocol.split_seed, splits and shares"
            )


def _validated(run: Run) -> float:
    figures = json.loads((run.folder / "figures.json").read_text())
    return float(figures["selection"])
