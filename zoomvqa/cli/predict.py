"""`predict.py` and `zoomvqa-predict`: score videos with a checkpoint."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from rich.markup import escape
from rich.table import Table

import zoomvqa
from zoomvqa.checkpoints import load_checkpoint, weights_file
from zoomvqa.cli.app import OK, SOME_FAILED, run
from zoomvqa.cli.train import labelled_set
from zoomvqa.console import console, printable, progress, say
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.placeholders import placeholder_reason
from zoomvqa.errors import SettingsError
from zoomvqa.files import file_key
from zoomvqa.journal import open_journal
from zoomvqa.metrics import figures_of
from zoomvqa.scoring.bulk import default_workers, score_many
from zoomvqa.scoring.inputs import Input, find_inputs
from zoomvqa.scoring.rows import (
    COLUMNS,
    PART_COLUMNS,
    details_path,
    part_rows_of,
    refuse_output,
    row_of,
    write_rows,
)
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.commands import PredictSettings
from zoomvqa.settings.data import SeveralSets

# The table on screen shows at most this many videos; the CSV has all.
_SHOWN = 60


def main() -> None:
    """Run the command."""
    run("predict", PredictSettings, _predict)


def _predict(settings: PredictSettings) -> int:
    if (settings.input is None) == (settings.data is None):
        raise SettingsError("input: give either input=VIDEO|FOLDER|GLOB|LIST.txt|TABLE.csv or data=NAME split=val")
    if isinstance(settings.data, SeveralSets):
        raise SettingsError("data: got several sets, expected one; scripts/evaluate.py takes several")
    file = weights_file(settings.ckpt, "ckpt")
    checkpoint = load_checkpoint(file)
    reader = settings.data.reader if settings.data and settings.reader == "auto" else settings.reader
    crops, clips = settings.test_crops, settings.test_clips
    scorer = Scorer(checkpoint, settings.device, settings.precision, reader, crops, clips)
    labelled: tuple[LabelledVideo, ...] = ()
    mos_range = None
    if settings.data is not None:
        whole = labelled_set(settings.data)
        labelled, mos_range = whole.part(settings.split), whole.mos_range
        inputs = [Input(video.name, video.path) for video in labelled]
    else:
        inputs = find_inputs(str(settings.input))
    output = Path(settings.output).expanduser()
    refuse_output(output)
    say(f"Scoring with {settings.ckpt}: {checkpoint.told}, {len(checkpoint.weights)} tensors")
    if checkpoint.description.unit == "none":
        say("This checkpoint has no calibration: its scores order videos, they are no MOS.")
    elif checkpoint.description.mos_range is None:
        say("This checkpoint does not tell the scale of its scores: they are what the network puts out.")
    rows = _score_all(scorer, inputs, output, settings, file)
    if reason := placeholder_reason(labelled, mos_range):
        say(f"The labels of this split are placeholders, no opinions ({reason}): no figures")
    elif labelled:
        _report(labelled, rows)
    failed = sum(row["score"] is None for row in rows)
    say(f"{len(rows) - failed} of {len(rows)} videos scored: {output}")
    return SOME_FAILED if failed else OK


def _score_all(
    scorer: Scorer, inputs: list[Input], output: Path, settings: PredictSettings, checkpoint: Path
) -> list[dict[str, Any]]:
    """Score what is not scored yet, write the output in the order of the inputs, and return its rows."""
    kept_in = output.with_name(f"{output.name}.part")
    keys = {item.name: file_key(item.name, item.path) for item in inputs}
    with open_journal(kept_in, _made_from(settings, checkpoint)) as kept, progress() as bar:
        todo = [(item.name, item.path) for item in inputs if keys[item.name] not in kept.known]
        todo = list(dict(todo).items())  # one that is listed twice is scored once
        if len(todo) < len(keys):
            say(f"{len(keys) - len(todo)} of {len(keys)} videos were scored before; going on")
        task = bar.add_task("Scoring", total=len(keys), completed=len(keys) - len(todo))
        workers = default_workers(scorer.device, len(todo)) if settings.workers is None else settings.workers
        try:
            for name, result in score_many(scorer, todo, workers=workers, patience=settings.patience):
                parts = part_rows_of(name, result) if settings.details else []
                kept.write(keys[name], {"row": row_of(name, result), "parts": parts})
                told = f"{result.score:9.4f}" if result.score is not None else f"    error  {result.error}"
                bar.console.print(escape(printable(f"{told}  {name}")))
                bar.advance(task)
        except BaseException:
            say(f"What was scored until now is in {kept_in}; the same command goes on")
            raise
        entries = [kept.known[keys[item.name]] for item in inputs]
        write_rows(output, (entry["row"] for entry in entries), COLUMNS)
        if settings.details:
            write_rows(details_path(output), (row for entry in entries for row in entry["parts"]), PART_COLUMNS)
    kept_in.unlink()
    return [entry["row"] for entry in entries]


def _made_from(settings: PredictSettings, checkpoint: Path) -> dict[str, Any]:
    """Return what scores depend on beside their videos; scores of another making are not gone on with."""
    chosen = {"reader", "details", "test_crops", "test_clips", "precision"}
    file = file_key(str(checkpoint.absolute()), checkpoint)
    return settings.model_dump(mode="json", include=chosen) | {"version": zoomvqa.__version__, "checkpoint": file}


def _report(labelled: tuple[LabelledVideo, ...], rows: list[dict[str, Any]]) -> None:
    """Print predicted beside true scores, and the figures over the videos that were scored."""
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
    branches = [name for name in ("iqa", "vqa") if pairs[0][1][name] is not None]
    columns = {name.upper(): [row[name] for _, row in pairs] for name in branches}
    if len(columns) > 1:
        columns["fused"] = [row["score"] for _, row in pairs]
    for name, scores in columns.items():
        figures = figures_of(torch.tensor(scores), mos)
        print(f"{name:5}  {figures.told}")
    if math.isnan(figures.srcc):
        say("Correlations are not defined where all predictions, or all true scores, are equal.")
