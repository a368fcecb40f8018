"""`scripts/fuse.py`: two prediction files as one, set-wise, as the release does it."""

from __future__ import annotations

from pathlib import Path

from zoomvqa.cli.app import OK, run
from zoomvqa.console import say
from zoomvqa.scoring.fuse_files import fuse_files
from zoomvqa.settings.commands import FuseSettings


def main() -> None:
    """Run the command."""
    run("fuse", FuseSettings, _fuse)


def _fuse(settings: FuseSettings) -> int:
    iqa, vqa, output = (Path(p).expanduser() for p in (settings.iqa, settings.vqa, settings.output))
    count, done = fuse_files(iqa, vqa, output, settings.share, settings.rescaled, overwrite=settings.overwrite)
    say(f"{count} fused scores in {output}; each depends on the others of its set; rescaled already: {done}")
    return OK
