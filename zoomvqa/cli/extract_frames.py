"""`scripts/extract_frames.py`: the frames of videos as pictures."""

from __future__ import annotations

from pathlib import Path

from zoomvqa.cli.app import OK, SOME_FAILED, run
from zoomvqa.console import say
from zoomvqa.scoring.inputs import find_inputs
from zoomvqa.settings.commands import ExtractSettings
from zoomvqa.video.export import export_all


def main() -> None:
    """Run the command."""
    run("extract_frames", ExtractSettings, _extract)


def _extract(settings: ExtractSettings) -> int:
    videos = [Path(item.place) for item in find_inputs(settings.input)]
    output = Path(settings.output).expanduser()
    results = export_all(videos, output, settings.fps, settings.workers, settings.reader)
    failed = [result for result in results if result.error]
    for result in failed:
        say(f"error: {result.video}: {result.error}")
    pictures = sum(result.pictures for result in results)
    say(f"{pictures} pictures of {len(results) - len(failed)} videos in {output}")
    return SOME_FAILED if failed else OK
