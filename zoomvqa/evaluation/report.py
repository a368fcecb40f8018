"""What an evaluation leaves: figures by set and group, comparisons, and the field's table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

import zoomvqa
from zoomvqa.console import console, say
from zoomvqa.evaluation.comparisons import compare_all
from zoomvqa.evaluation.methods import Outcome
from zoomvqa.evaluation.tables import Method, published, write_tables
from zoomvqa.files import whole_file
from zoomvqa.metrics import Agreement
from zoomvqa.outputs import begins_with, refuse_foreign_folder

Results = Mapping[str, Sequence[Outcome]]
Group = tuple[str, str]
# All videos of a set; no column has such a name.
_ALL: Group = ("(all)", "")
_FIGURES = ("srcc", "plcc", "krcc", "rmse", "plcc_fit", "rmse_fit", "outlier_ratio")
_INTERVALS = ("srcc", "plcc", "plcc_fit")
_LOW_HIGH = [f"{name}_{end}" for name in _INTERVALS for end in ("low", "high")]
_HEADER = [
    "method",
    "set",
    "split",
    "group",
    "value",
    "videos",
    "missing",
    *_FIGURES,
    *_LOW_HIGH,
    "outlier_bound",
    "notes",
]
# What is written into the output, `figures.csv` first.
FILES = ("figures.csv", "comparisons.csv", "table.md", "table.csv", "table.tex")
# On screen, groups of a kind with more values than these are left to figures.csv.
_SHOWN = 12


@dataclass(frozen=True)
class Options:
    """How figures are computed.

    Attributes:
        parameters: of the logistic, 4 or 5.
        resamples: sets of videos drawn for intervals; 0 leaves them out.
        published: show published figures beside ours.
    """

    parameters: int = 4
    resamples: int = 1000
    published: bool = True


def report(results: Results, output: Path, options: Options) -> None:
    """Write `figures.csv`, `comparisons.csv` (of several methods) and `table.md|csv|tex`, and print them.

    Args:
        results: outcomes by the name of the set, methods in the same order everywhere.
        output: the folder.
        options: of the figures.
    """
    rows: list[list[Any]] = []
    whole: dict[tuple[str, str], Agreement] = {}
    for outcomes in results.values():
        figures = {outcome.method: _figures(outcome, options) for outcome in outcomes}
        whole |= {(o.set, o.method): figures[o.method][_ALL] for o in outcomes}
        rows += [_row(o, group, found) for o in outcomes for group, found in figures[o.method].items()]
        _show(outcomes, {name: found[_ALL] for name, found in figures.items()})
        _show_groups(outcomes, figures)
    _write(output / "figures.csv", _HEADER, rows)
    compared = [line for outcomes in results.values() for line in _comparisons(outcomes, options)]
    told = ["set", "first", "second", "videos", "figure", "difference", "low", "high", "p", "p_holm", "note"]
    if compared:
        _write(output / "comparisons.csv", told, compared)
    else:  # of an earlier evaluation into the same folder
        (output / "comparisons.csv").unlink(missing_ok=True)
    rows_of_table = [*(published(list(results)) if options.published else []), *_own(results, whole)]
    write_tables(output, rows_of_table, list(results))
    say(f"Figures and tables: {output}")


def refuse_other_report(output: Path) -> None:
    """Refuse a folder that holds files of the names that `report` writes, and that it has not written.

    Raises:
        SettingsError: it does.
    """
    refuse_foreign_folder(output, FILES, _is_ours)


def _is_ours(folder: Path) -> bool:
    """Tell whether `figures.csv` in a folder is ours, of this version or of one before `outlier_bound`."""
    earlier = [name for name in _HEADER if name != "outlier_bound"]
    return any(begins_with(folder / "figures.csv", ",".join(header)) for header in (_HEADER, earlier))


def _figures(outcome: Outcome, options: Options) -> dict[Group, Agreement]:
    asked = {"parameters": options.parameters, "resamples": options.resamples}
    found = {_ALL: outcome.judged.figures(**asked)} | outcome.judged.by_group(**asked)
    if outcome.has_unit:
        return found
    told = "scores without a unit: no RMSE but that after the fit"
    return {group: replace(each, rmse=None, notes=(*each.notes, told)) for group, each in found.items()}


def _row(outcome: Outcome, group: Group, figures: Agreement) -> list[Any]:
    values = [_number(getattr(figures, name)) for name in _FIGURES]
    ends = [_number(end) for n in _INTERVALS for end in getattr(figures, f"{n}_interval") or (None, None)]
    missing = outcome.missing if group == _ALL else ""
    notes = "; ".join(filter(None, [outcome.note, *figures.notes]))
    return [outcome.method, outcome.set, outcome.split, *group, figures.videos, missing, *values, *ends,
            figures.outlier_bound or "", notes]  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with whole_file(path, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)


def _show(outcomes: Sequence[Outcome], figures: Mapping[str, Agreement]) -> None:
    """Print a column a method; three of them fit a narrow terminal."""
    part = "" if outcomes[0].split == "all" else f", {outcomes[0].split} part"
    scale = outcomes[0].mos_range
    part += "" if scale is None else f", MOS {scale[0]:g} to {scale[1]:g}"
    table = Table("", *(escape(o.method) for o in outcomes), title=escape(f"{outcomes[0].set}{part}"))
    table.add_row("videos", *(str(figures[o.method].videos) for o in outcomes))
    for name in _FIGURES:
        table.add_row(name, *(_with_interval(figures[o.method], name) for o in outcomes))
    console.print(table)
    for outcome in outcomes:
        missing = f"{outcome.missing} videos without a score are in no figure" if outcome.missing else ""
        for note in filter(None, [outcome.note, missing, *figures[outcome.method].notes]):
            say(f"{outcome.set}, {outcome.method}: {note}")


def _with_interval(figures: Agreement, name: str) -> str:
    value, within = getattr(figures, name), getattr(figures, f"{name}_interval", None)
    if value is None:
        return "–"
    return f"{value:.4f}" + (f" [{within[0]:.3f}, {within[1]:.3f}]" if within else "")


def _show_groups(outcomes: Sequence[Outcome], figures: Mapping[str, Mapping[Group, Agreement]]) -> None:
    """Print SRCC and PLCC of the groups of each kind, a column a method."""
    groups = dict.fromkeys(group for found in figures.values() for group in found if group != _ALL)
    for kind in dict.fromkeys(kind for kind, _ in groups):
        values = sorted(value for k, value in groups if k == kind)
        if len(values) > _SHOWN:
            say(f"{outcomes[0].set} by {kind}: {len(values)} groups, in figures.csv")
            continue
        columns = [f"{escape(o.method)}: videos, SRCC / PLCC" for o in outcomes]
        table = Table(escape(kind), *columns, title=escape(f"{outcomes[0].set} by {kind}"))
        for value in values:
            table.add_row(escape(value), *(_of_group(figures[o.method].get((kind, value))) for o in outcomes))
        console.print(table)


def _of_group(figures: Agreement | None) -> str:
    if figures is None:
        return "–"
    told = " / ".join("–" if value is None else f"{value:.4f}" for value in (figures.srcc, figures.plcc))
    return f"{figures.videos}, {told}"


def _comparisons(outcomes: Sequence[Outcome], options: Options) -> list[list[Any]]:
    """Compare each two methods on the videos that both have scored, and say what came out."""
    name, lines = outcomes[0].set, []
    judged = {outcome.method: outcome.judged for outcome in outcomes}
    for pair in compare_all(judged, max(options.resamples, 1000), options.parameters):
        found = pair.found
        told = found if isinstance(found, str) else found.told
        say(f"{name}, {pair.first} less {pair.second}, {pair.videos} videos: {told}")
        about = [name, pair.first, pair.second, pair.videos, pair.figure]
        if isinstance(found, str):
            lines.append([*about, "", "", "", "", "", found])
        else:
            numbers = (found.difference, *found.interval, found.p)
            corrected = found.p if found.corrected is None else found.corrected
            lines.append([*about, *map(_number, numbers), _number(corrected), ""])
    return lines


def _notes(outcome: Outcome, figures: Agreement) -> list[str]:
    """Return what must be known to read SRCC and PLCC of a set."""
    undefined = figures.notes if figures.srcc is None or figures.plcc is None else ()
    return [*filter(None, [outcome.note]), *undefined]


def _own(results: Results, whole: Mapping[tuple[str, str], Agreement]) -> list[Method]:
    """Return our rows of the table, with what must be known to read them."""
    names = list(dict.fromkeys(o.method for outcomes in results.values() for o in outcomes))
    rows = []
    for name in names:
        outcomes = [o for found in results.values() for o in found if o.method == name]
        notes = [f"{o.set}: {o.missing} videos left out" for o in outcomes if o.missing]
        notes += [f"{o.set}: {note}" for o in outcomes for note in _notes(o, whole[o.set, name])]
        figures = {o.set: (whole[o.set, name].srcc, whole[o.set, name].plcc) for o in outcomes}
        source = "; ".join([f"measured with zoomvqa {zoomvqa.__version__}", *notes])
        rows.append(Method(name, figures, source, own=True))
    return rows
