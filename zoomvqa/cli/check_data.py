"""`scripts/check_data.py`: looks a labelled set over before days are spent on it."""

from __future__ import annotations

import os
from pathlib import Path

from zoomvqa.checking.check import Effort, check_set
from zoomvqa.checking.findings import Checked, Finding
from zoomvqa.checking.report import refuse_other_report, write_report
from zoomvqa.cli.app import OK, SOME_FAILED, run
from zoomvqa.console import console
from zoomvqa.data.labelled_set import labels_of
from zoomvqa.ladder.demo import build_demo
from zoomvqa.settings.commands import CheckSettings
from zoomvqa.settings.data import SeveralSets


def main() -> None:
    """Run the command."""
    run("check_data", CheckSettings, _check)


def _check(settings: CheckSettings) -> int:
    data = settings.data
    sets = dict(data.sets) if isinstance(data, SeveralSets) else {data.name: data}
    effort = Effort(settings.workers or os.cpu_count() or 1, settings.decode, settings.seconds)
    checked: dict[str, list[Checked]] = {}
    problems = 0
    for name, one in sets.items():  # mistakes are told before hours of work
        refuse_other_report(Path(settings.output).expanduser() / name)
        if one.name != "demo":
            labels_of(one)
    for name, one in sets.items():
        if name == "demo":
            build_demo(Path(one.root))
        output = Path(settings.output).expanduser() / name
        checked[name], found = check_set(one, output, effort)
        write_report(output, checked[name], found, name)
        problems += sum(finding.kind == "problem" for finding in found)
    for finding in shared_files(checked):
        console.print(f"{finding.kind}: {finding.text}", markup=False)
        problems += 1
    return SOME_FAILED if problems else OK


def shared_files(checked: dict[str, list[Checked]]) -> list[Finding]:
    """Return which two sets have files that are the same."""
    digests = {
        name: {row.found.digest: row.video.name for row in rows if row.found and row.found.digest}
        for name, rows in checked.items()
    }
    names, found = list(digests), []
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            both = sorted(digests[first].keys() & digests[second].keys())
            if both:
                example = f"{digests[first][both[0]]} and {digests[second][both[0]]}"
                text = f"{len(both)} files are in {first} and in {second}, for example {example}"
                found.append(Finding("problem", text))
    return found
