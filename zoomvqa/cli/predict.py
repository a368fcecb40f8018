"""`predict.py` and `zoomvqa-predict`: score videos with a checkpoint."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from rich.markup import escape
from rich.table import Table

from zoomvqa.checkpoints import load_checkpoint, weights_file
from zoomvqa.cli.app import OK, SOME_FAILED, run
from zoomvqa.cli.train import labelled_set
from zoomvqa.console import console, progress, say
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.placeholders import placeholder_reason
from zoomvqa.errors import SettingsError
from zoomvqa.metrics import figures_of
from zoomvqa.scoring.inputs import Input, find_inputs
from zoomvqa.scoring.rows import open_rows, refuse_output
from zoomvqa.scoring.scorer import Scorer, VideoScore
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
    checkpoint = load_checkpoint(weights_file(settings.ckpt, "ckpt"))
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
    results = _score_all(scorer, inputs, output, details=settings.details)
    if reason := placeholder_reason(labelled, mos_range):
        say(f"The labels of this split are placeholders, no opinions ({reason}): no figures")
    elif labelled:
        _report(labelled, results)
    failed = sum(r.score is None for r in results)
    say(f"{len(results) - failed} of {len(results)} videos scored: {output}")
    return SOME_FAILED if failed else OK


def _score_all(scorer: Scorer, inputs: list[Input], output: Path, *, details: bool) -> list[VideoScore]:
    results = []
    with open_rows(output, details=details) as rows, progress() as bar:
        task = bar.add_task("Scoring", total=len(inputs))
        for item in inputs:
            result = scorer.try_score(item.path)
            rows.write(item.name, result)
            results.append(result)
            told = f"{result.score:9.4f}" if result.score is not None else f"    error  {result.error}"
            bar.console.print(escape(f"{told}  {item.name}"))
            bar.advance(task)
    return results


def _report(labelled: tuple[LabelledVideo, ...], results: list[VideoScore]) -> None:
    """Print predicted beside true scores, and the figures over the videos that were scored."""
    pairs = [(v, r.score) for v, r in zip(labelled, results, strict=True) if r.score is not None]
    table = Table("video", "true", "predicted", title=f"{len(pairs)} of {len(labelled)} videos")
    for video, score in pairs[:_SHOWN]:
        table.add_row(escape(video.name), f"{video.mos:.2f}", f"{score:.2f}")
    console.print(table)
    if len(pairs) > _SHOWN:
        say(f"… and {len(pairs) - _SHOWN} more")
    if not pairs:
        return
    mos = torch.tensor([v.mos for v, _ in pairs])
    scored = [r for r in results if r.score is not None]
    columns = {name.upper(): [r.branches[name] for r in scored] for name in scored[0].branches}
    if len(columns) > 1:
        columns["fused"] = [score for _, score in pairs]
    for name, scores in columns.items():
        figures = figures_of(torch.tensor(scores), mos)
        print(f"{name:5}  {figures.told}")
    if math.isnan(figures.srcc):
        say("Correlations are not defined where all predictions, or all true scores, are equal.")
