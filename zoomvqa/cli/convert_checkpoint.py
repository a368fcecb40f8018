"""`scripts/convert_checkpoint.py`: a checkpoint in another format, or for patches of another size."""

from __future__ import annotations

from pathlib import Path

from zoomvqa.checkpoints import weights_file
from zoomvqa.checkpoints.convert import convert
from zoomvqa.cli.app import OK, run
from zoomvqa.console import say
from zoomvqa.errors import SettingsError
from zoomvqa.settings.commands import ConvertSettings


def main() -> None:
    """Run the command."""
    run("convert_checkpoint", ConvertSettings, _convert)


def _convert(settings: ConvertSettings) -> int:
    source, target = weights_file(settings.input, "input"), Path(settings.output).expanduser()
    if target.exists():
        raise SettingsError(f"output: {target} is there already; give another name, or remove it")
    done = convert(source, target, settings.format, settings.patch, settings.take)
    notes = "".join(f"; {note}" for note in done.notes)
    say(f"{source} ({done.kind}) -> {target} ({settings.format}): {done.tensors} tensors{notes}")
    return OK
