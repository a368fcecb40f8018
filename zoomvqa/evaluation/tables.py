"""The field's table: a row a method, SRCC and PLCC of each set, as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoomvqa.files import whole_file

Pair = tuple[float | None, float | None]


@dataclass(frozen=True)
class Method:
    """A row of the table.

    Attributes:
        name: of the method.
        figures: SRCC and PLCC by the name of a set; None where one is not told.
        source: where they are from.
        own: whether they were measured here.
    """

    name: str
    figures: Mapping[str, Pair] = field(default_factory=dict)
    source: str = ""
    own: bool = False


def published(sets: Sequence[str]) -> list[Method]:
    """Return the published figures of these sets in the order of the years.

    Their sources begin with where a figure comes from: `paper` (its own table), `authors' repository`,
    `later papers` (copied or run again by others) or `log file`. A method has a row for each.
    """
    text = (Path(__file__).parent / "published.csv").read_text(encoding="utf-8")
    methods: dict[tuple[str, str], dict[str, Pair]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["set"] in sets:
            pair = (_number(row["srcc"]), _number(row["plcc"]))
            methods.setdefault((row["method"], f"{row['origin']}: {row['source']}"), {})[row["set"]] = pair
    return [Method(name, figures, source) for (name, source), figures in methods.items()]


def _number(text: str) -> float | None:
    return float(text) if text else None


def write_tables(folder: Path, methods: Sequence[Method], sets: Sequence[str]) -> None:
    """Write `table.md`, `table.csv` and `table.tex`.

    Args:
        folder: where to.
        methods: the rows.
        sets: the columns' sets.
    """
    for name, text in (
        ("table.md", markdown(methods, sets)),
        ("table.csv", as_csv(methods, sets)),
        ("table.tex", latex(methods, sets)),
    ):
        with whole_file(folder / name, newline="") as handle:
            handle.write(text)


def markdown(methods: Sequence[Method], sets: Sequence[str]) -> str:
    """Return the table in Markdown."""
    rows = [["method", *sets, "source"], ["---"] * (len(sets) + 2)]
    for method in methods:
        name = f"**{method.name}**" if method.own else method.name
        rows.append([name, *(_told(method.figures.get(s)) for s in sets), method.source])
    return "SRCC / PLCC\n\n" + "".join(
        f"| {' | '.join(c.replace('|', chr(92) + '|') for c in r)} |\n" for r in rows
    )


def as_csv(methods: Sequence[Method], sets: Sequence[str]) -> str:
    """Return the table as CSV, two columns a set."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow(["method", *(f"{s}_{figure}" for s in sets for figure in ("srcc", "plcc")), "source"])
    for method in methods:
        pairs = [method.figures.get(s, (None, None)) for s in sets]
        numbers = ["" if value is None else f"{value:.4f}" for pair in pairs for value in pair]
        writer.writerow([method.name, *numbers, method.source])
    return held.getvalue()


def latex(methods: Sequence[Method], sets: Sequence[str]) -> str:
    """Return the table in LaTeX (it needs the package booktabs)."""
    lines = [f"\\begin{{tabular}}{{l{'c' * len(sets)}l}}", "\\toprule"]
    lines += [" & ".join(["SRCC / PLCC", *map(_escaped, sets), "source"]) + " \\\\", "\\midrule"]
    for method in methods:
        name = f"\\textbf{{{_escaped(method.name)}}}" if method.own else _escaped(method.name)
        cells = [_told(method.figures.get(s)) for s in sets]
        lines.append(" & ".join([name, *cells, _escaped(method.source)]) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def _told(pair: Pair | None) -> str:
    if pair is None or pair == (None, None):
        return "–"
    return " / ".join("–" if value is None else f"{value:.3f}" for value in pair)


def _escaped(text: str) -> str:
    """Return a text as LaTeX prints it."""
    signs = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
    signs |= {sign: f"\\{sign}" for sign in "&%$#_{}"}
    return "".join(signs.get(sign, sign) for sign in " ".join(text.split()))
