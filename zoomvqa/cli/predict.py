"""`predict.py` and `zoomvqa-predict`: score videos with a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from rich.markup import escape
from rich.table import Table

import zoomvqa
from zoomvqa.allocation import keep_freed_memory
from zoomvqa.calibration import Unit
from zoomvqa.checkpoints import Checkpoint, load_checkpoint, weights_file
from zoomvqa.cli.app import OK, SOME_FAILED, run
from zoomvqa.cli.train import labelled_set
from zoomvqa.console import console, printable, progress, say
from zoomvqa.data.labelled_set import LabelledVideo, annotation_files
from zoomvqa.data.placeholders import placeholder_reason
from zoomvqa.errors import SettingsError
from zoomvqa.files import file_key, remove_database
from zoomvqa.outputs import refuse_inputs
from zoomvqa.processes import Share
from zoomvqa.scoring.bulk import Waiting, default_batch, default_workers, score_many
from zoomvqa.scoring.devices import start_processes
from zoomvqa.scoring.feeders import warm_up
from zoomvqa.scoring.inputs import Input, Inputs, find_inputs, these_inputs
from zoomvqa.scoring.ray_engine import score_with_ray
from zoomvqa.scoring.recipe import ScorerRecipe
from zoomvqa.scoring.results import Results, open_results, write_results
from zoomvqa.scoring.rows import columns_of, details_path, refuse_other_files, refuse_output
from zoomvqa.scoring.scorer import VideoScore
from zoomvqa.settings.commands import PredictSettings
from zoomvqa.settings.data import DataSettings, SeveralSets
from zoomvqa.video.show import Show

# The table on screen shows at most this many videos; the CSV has all.
_SHOWN = 60
# From this share of its time on, it is said that the network waited for videos.
_MUCH = 0.1
# Names and places of videos in, and how many they are; their scores out, as they are ready.
Engine = Callable[[Iterator[tuple[str, str]], int], Iterator[tuple[str, VideoScore]]]


def main() -> None:
    """Run the command."""
    run("predict", PredictSettings, _predict)


def _predict(settings: PredictSettings) -> int:
    _refuse_contradictions(settings)
    file = weights_file(settings.ckpt, "ckpt")
    checkpoint = load_checkpoint(file)
    labelled, mos_range, inputs = _wanted(settings)
    output = Path(settings.output).expanduser()
    refuse_output(output)
    _refuse_what_is_there(settings, output, file, inputs)
    share, device = start_processes(settings.devices, settings.device)
    if settings.engine == "local" and settings.workers != 0 and len(list(islice(inputs, 2))) > 1:
        warm_up()
    recipe, waiting = _recipe(settings, checkpoint, device), Waiting()
    engine = _engine(recipe, settings, waiting)  # what cannot be made is told before anything else
    _tell_checkpoint(settings.ckpt, checkpoint)
    unit = Unit(checkpoint.description.unit == "mos", checkpoint.description.mos_range)
    branches = tuple(checkpoint.description.branches)
    del recipe, checkpoint  # where weights are packed, they would be there twice
    kept_in, made_from = output.with_name(f"{output.name}.part"), _made_from(settings, file)
    with open_results(kept_in, made_from, share, details=settings.details) as results:
        try:
            _score_all(engine, inputs, results, share, waiting)
        except BaseException:
            if len(results):
                say(f"What was scored until now is in {kept_in}; the same command goes on")
            raise
    if not share.first:
        return OK
    with open_results(kept_in, made_from, Share(), details=settings.details) as results:
        counts = write_results(inputs, results, output, branches, details=settings.details)
        rows = [results.entry(Input(video.name, str(video.path)))["row"] for video in labelled]
    remove_database(kept_in)
    if reason := placeholder_reason(labelled, mos_range):
        say(f"The labels of this split are placeholders, no opinions ({reason}): no figures")
    elif labelled:
        _report(labelled, rows, branches, unit)
    total, partly = sum(counts.values()), counts["partial"]
    told = f", {partly} of them on a part of their frames" if partly else ""
    say(f"{total - counts['error']} of {total} videos scored{told}: {output}")
    return SOME_FAILED if counts["error"] else OK


def _refuse_contradictions(settings: PredictSettings) -> None:
    if (settings.input is None) == (settings.data is None):
        raise SettingsError("input: give either input=VIDEO|FOLDER|GLOB|LIST.txt|TABLE.csv or data=NAME split=val")
    if isinstance(settings.data, SeveralSets):
        raise SettingsError("data: got several sets, expected one; scripts/evaluate.py takes several")
    if settings.engine == "ray" and settings.devices > 1:
        raise SettingsError(
            f"devices: got {settings.devices}, expected 1 with engine=ray; ray.networks says how many networks"
        )


def _refuse_what_is_there(settings: PredictSettings, output: Path, checkpoint: Path, inputs: Inputs) -> None:
    """Refuse to write over what is read, and over what this command has not written."""
    outputs = [output, *([details_path(output)] if settings.details else [])]
    refuse_inputs(outputs, "ckpt", [checkpoint])
    if settings.input is not None:
        refuse_inputs(outputs, "input", [settings.input])
    if isinstance(settings.data, DataSettings):
        refuse_inputs(outputs, "data.annotations", annotation_files(settings.data))
    if not settings.overwrite:
        refuse_other_files(output, details=settings.details)
    else:  # a table of ours is no video, so that only then the millions of a list have to be looked at
        refuse_inputs(outputs, "input", (item.place for item in inputs))


def _wanted(settings: PredictSettings) -> tuple[tuple[LabelledVideo, ...], tuple[float, float] | None, Inputs]:
    """Return the labelled videos, where there are any, the range of their MOS, and what is to be scored."""
    if settings.data is None:
        return (), None, find_inputs(str(settings.input))
    assert not isinstance(settings.data, SeveralSets)  # noqa: S101  refused before
    whole = labelled_set(settings.data)
    labelled = whole.part(settings.split)
    return labelled, whole.mos_range, these_inputs(Input(video.name, str(video.path)) for video in labelled)


def _recipe(settings: PredictSettings, checkpoint: Checkpoint, device: str) -> ScorerRecipe:
    reader = settings.reader
    if settings.data is not None and not isinstance(settings.data, SeveralSets) and reader == "auto":
        reader = settings.data.reader
    chosen = settings.model_dump(include={"precision", "test_crops", "test_clips", "min_share"})
    show = Show(settings.hdr, settings.pixels, settings.interlaced)
    return ScorerRecipe(checkpoint, device, reader=reader, compiled=settings.compile, show=show, **chosen)


def _tell_checkpoint(name: str, checkpoint: Checkpoint) -> None:
    say(f"Scoring with {name}: {checkpoint.told}, {len(checkpoint.weights)} tensors")
    if checkpoint.description.unit == "none":
        say("This checkpoint has no calibration: its scores order videos, they are no MOS.")
    elif checkpoint.description.mos_range is None:
        say("This checkpoint does not tell the scale of its scores: they are what the network puts out.")


def _score_all(engine: Engine, inputs: Inputs, results: Results, share: Share, waiting: Waiting) -> None:
    """Score what this process has to and is not scored yet, keeping results as they come."""

    def mine() -> Iterator[Input]:
        return islice(inputs, share.number, None, share.of)

    total = sum(1 for _ in mine())
    known = sum(map(results.knows, mine())) if results else 0
    if known:
        say(f"{known} of {total} videos were scored before; going on")
    scored = 0
    with progress() as bar:
        task = bar.add_task("Scoring", total=total)
        for name, result in engine(results.left(mine(), lambda: bar.advance(task)), total - known):
            results.add(name, result)
            scored += result.score is not None
            told = f"{result.score:9.4f}" if result.score is not None else f"    error  {result.error}"
            notes = "; ".join(filter(None, [result.damage, result.note]))
            bar.console.print(escape(printable(f"{told}  {name}{notes and f'  ({notes})'}")))
            bar.advance(task)
    if waiting.share > _MUCH and scored > 1:
        say(f"The network waited for videos {waiting.share:.0%} of the time; workers=… decodes more at once")


def _engine(recipe: ScorerRecipe, settings: PredictSettings, waiting: Waiting) -> Engine:
    """Return what scores: here, or on a Ray cluster."""
    way: dict[str, Any] = {"patience": settings.patience, "remote": settings.remote}
    if settings.engine == "ray":
        return lambda videos, _: score_with_ray(recipe, videos, wanted=settings.ray, quiet=True, **way)
    scorer = recipe.scorer()
    if scorer.device.type == "cpu":
        keep_freed_memory()
    batch = default_batch(scorer.device) if settings.batch is None else settings.batch

    def here(videos: Iterator[tuple[str, str]], count: int) -> Iterator[tuple[str, VideoScore]]:
        workers = default_workers(scorer.device, count) if settings.workers is None else settings.workers
        return score_many(scorer, videos, workers=workers, batch=batch, waiting=waiting, **way)

    return here


def _made_from(settings: PredictSettings, checkpoint: Path) -> dict[str, Any]:
    """Return what scores depend on beside their videos; scores of another making are not gone on with."""
    chosen = {"reader", "min_share", "hdr", "pixels", "interlaced", "details", "test_crops", "test_clips"}
    chosen |= {"precision", "batch", "compile"}
    file = file_key(str(checkpoint.absolute()), checkpoint)
    about = {"version": zoomvqa.__version__, "columns": list(columns_of(())), "checkpoint": file}
    return settings.model_dump(mode="json", include=chosen) | about


def _report(
    labelled: tuple[LabelledVideo, ...], rows: list[dict[str, Any]], branches: tuple[str, ...], unit: Unit
) -> None:
    """Print predicted beside true scores, and the figures over the videos that were scored."""
    from zoomvqa.metrics import constant_value, figures_of  # noqa: PLC0415  slow to import, and only for labelled videos

    pairs = [(video, row) for video, row in zip(labelled, rows, strict=True) if row["score"] is not None]
    table = Table("video", "true", "predicted", title=f"{len(pairs)} of {len(labelled)} videos")
    for video, row in pairs[:_SHOWN]:
        table.add_row(escape(video.name), f"{video.mos:.2f}", f"{row['score']:.2f}")
    console.print(table)
    if len(pairs) > _SHOWN:
        say(f"… and {len(pairs) - _SHOWN} more")
    if not pairs:
        return
    mos = torch.tensor([video.mos for video, _ in pairs])
    columns = {name.upper(): [row[name] for _, row in pairs] for name in branches}
    if len(columns) > 1:
        columns["fused"] = [row["score"] for _, row in pairs]
    for name, scores in columns.items():
        figures = figures_of(torch.tensor(scores), mos)
        print(f"{name:5}  {figures.told(unit)}")
        value = constant_value(torch.tensor(scores))
        if value is not None:
            say(f"All {len(scores)} {name} predictions are {value:.4f}: it does not tell these videos apart.")
        elif math.isnan(figures.srcc):
            say("Correlations are not defined for one video, or where all true scores are equal.")
