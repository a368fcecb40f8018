"""The output of scoring: a row a video, and a row a frame or clip on request; as CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.files import whole_file
from zoomvqa.outputs import refuse_foreign
from zoomvqa.scoring.scorer import VideoScore
from zoomvqa.settings.branch import USUAL_NAMES

# Of every table, before and after the scores of the branches.
_BEFORE: dict[str, type] = {"video": str, "score": float, "status": str, "error": str}
_AFTER: dict[str, type] = {"frames": int, "clips": int, "seconds": float, "reader": str, "note": str}
PART_COLUMNS: dict[str, type] = {
    "video": str, "branch": str, "kind": str, "part": int, "first_frame": int, "last_frame": int, "start": float,
    "end": float, "score": float,
}  # fmt: skip
ENDINGS = (".csv", ".jsonl", ".parquet")
# Rows that are held at a time.
_AT_ONCE = 10_000
# So much of a file is read to see whether it is ours.
_LONGEST_LINE = 1 << 20
Row = Mapping[str, Any]


def columns_of(branches: Iterable[str]) -> dict[str, type]:
    """Return the columns of a table, with one for each branch's own score; of the usual branches both have one."""
    names = tuple(branches)
    names = USUAL_NAMES if set(names) <= set(USUAL_NAMES) else names
    return _BEFORE | dict.fromkeys(names, float) | _AFTER


def row_of(name: str, result: VideoScore) -> dict[str, Any]:
    """Return a video's row; scores are rounded to 6 decimals, what there is none of is left out.

    A status of `partial` says that the video is damaged, and was scored on what decodes; `error` tells how much.
    `note` tells what is special about its pictures.
    """
    scores = {branch: _rounded(score) for branch, score in result.branches.items()}
    return {
        "video": name,
        "score": _rounded(result.score),
        "status": "error" if result.score is None else ("partial" if result.damage else "ok"),
        "error": " ".join((result.error or result.damage).split()),
        **scores,
        "frames": len(result.frames),
        "clips": len(result.clips),
        "seconds": round(result.seconds, 3),
        "reader": result.reader,
        "note": result.note,
    }


def part_rows_of(name: str, result: VideoScore) -> list[dict[str, Any]]:
    """Return the rows of a video's parts."""
    return [
        {
            "video": name, "branch": branch, "kind": part.kind, "part": number, "first_frame": part.first,
            "last_frame": part.last, "start": round(part.start, 4), "end": round(part.end, 4),
            "score": _rounded(part.score),
        }
        for branch, parts in result.parts.items()
        for number, part in enumerate(parts)
    ]  # fmt: skip


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 6)


def write_rows(path: Path, rows: Iterable[Row], columns: Mapping[str, type]) -> None:
    """Write a table, whole or not at all, in the format that its name ends with.

    Args:
        path: of the table; see `refuse_output`.
        rows: they are taken a few at a time.
        columns: their names and types.
    """
    if path.suffix == ".parquet":
        _write_parquet(path, rows, columns)
        return
    with whole_file(path, newline="") as handle:
        if path.suffix == ".jsonl":
            for row in rows:
                handle.write(json.dumps({name: row.get(name) for name in columns}, ensure_ascii=False) + "\n")
            return
        writer = csv.writer(handle)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(name, row.get(name)) for name in columns])


def _cell(name: str, value: Any) -> Any:
    digits = {"seconds": 3, "start": 4, "end": 4}.get(name, 6)
    return f"{value:.{digits}f}" if isinstance(value, float) else ("" if value is None else value)


def _write_parquet(path: Path, rows: Iterable[Row], columns: Mapping[str, type]) -> None:
    arrow, parquet = _arrow()
    kinds = {str: arrow.string(), float: arrow.float64(), int: arrow.int64()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with whole_file(path, "wb") as handle, parquet.ParquetWriter(handle, schema) as writer:
        for some in _batches(rows):
            writer.write_table(arrow.Table.from_pylist(some, schema=schema))


def _batches(rows: Iterable[Row]) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while some := [dict(row) for row in islice(left, _AT_ONCE)]:
        yield some


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415  an optional extra
        from pyarrow import parquet  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ToolError("output: Parquet needs pyarrow; pip install 'zoomvqa[parquet]'") from None
    return pa, parquet


def refuse_output(output: Path) -> None:
    """Make the output's folder, and refuse one that cannot be written to.

    Raises:
        SettingsError: the folder cannot be made, `output` is one, or its name does not end with a known format.
        ToolError: the format needs a package that is not there.
    """
    if output.is_dir():
        raise SettingsError(f"output: {output} is a folder, expected a file such as {output / 'scores.csv'}")
    if output.suffix not in ENDINGS:
        raise SettingsError(f"output: got {output.name}, expected a name ending with {', '.join(ENDINGS)}")
    if output.suffix == ".parquet":
        _arrow()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"output: {output.parent} cannot be made ({error.strerror})") from None


def is_scores(columns: Sequence[str]) -> bool:
    """Tell whether these are the columns of a table of scores, of whichever branches."""
    before, after = list(_BEFORE), list(_AFTER)
    return list(columns[: len(before)]) == before and list(columns[-len(after) :]) == after


def is_details(columns: Sequence[str]) -> bool:
    """Tell whether these are the columns of a table of parts; earlier versions had none for the branch."""
    known = list(PART_COLUMNS)
    return list(columns) in (known, [name for name in known if name != "branch"])


def read_columns(path: Path) -> list[str]:
    """Return the columns of a table that `write_rows` may have written; none where it is no table.

    Args:
        path: of the file; its ending tells the format.
    """
    try:
        if path.suffix == ".parquet":
            return list(_arrow()[1].read_schema(path).names)
        with path.open("rb") as handle:
            line = handle.readline(_LONGEST_LINE)
        if path.suffix == ".csv":
            return next(csv.reader([line.decode()]), [])
        first = json.loads(line)
    except (
        OSError,
        ValueError,
        csv.Error,
    ):  # what pyarrow raises of files that are none of its own is a ValueError
        return []
    return list(first) if isinstance(first, dict) else []


def refuse_other_files(output: Path, *, details: bool) -> None:
    """Refuse to replace what this command did not write, at the output or at the table of details.

    Raises:
        SettingsError: there is such a file.
    """
    way = "give another name, or overwrite=true"
    refuse_foreign(output, lambda path: is_scores(read_columns(path)), way)
    if details:
        refuse_foreign(details_path(output), lambda path: is_details(read_columns(path)), way)


def details_path(output: Path) -> Path:
    """Return where the rows of frames or clips go: `scores.csv` has them in `scores.details.csv`."""
    return output.with_name(f"{output.stem}.details{output.suffix}")
