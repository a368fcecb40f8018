"""The output of scoring: a row a video, and a row a frame or clip on request; as CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.files import whole_file
from zoomvqa.outputs import begins_with, refuse_foreign
from zoomvqa.scoring.scorer import VideoScore

COLUMNS: dict[str, type] = {
    "video": str, "score": float, "status": str, "error": str, "iqa": float, "vqa": float, "frames": int,
    "clips": int, "seconds": float, "reader": str, "note": str,
}  # fmt: skip
PART_COLUMNS: dict[str, type] = {
    "video": str, "kind": str, "part": int, "first_frame": int, "last_frame": int, "start": float, "end": float,
    "score": float,
}  # fmt: skip
ENDINGS = (".csv", ".jsonl", ".parquet")
# Rows that are held at a time.
_AT_ONCE = 10_000
# So much of a file is read to see whether it is ours.
_LONGEST_LINE = 1 << 20
Row = Mapping[str, Any]


def row_of(name: str, result: VideoScore) -> dict[str, Any]:
    """Return a video's row; scores are rounded to 6 decimals, None is what there is none of.

    A status of `partial` says that the video is damaged, and was scored on what decodes; `error` tells how much.
    `note` tells what is special about its pictures.
    """
    return {
        "video": name,
        "score": _rounded(result.score),
        "status": "error" if result.score is None else ("partial" if result.damage else "ok"),
        "error": " ".join((result.error or result.damage).split()),
        "iqa": _rounded(result.branches.get("iqa")),
        "vqa": _rounded(result.branches.get("vqa")),
        "frames": len(result.frames),
        "clips": len(result.clips),
        "seconds": round(result.seconds, 3),
        "reader": result.reader,
        "note": result.note,
    }


def part_rows_of(name: str, result: VideoScore) -> list[dict[str, Any]]:
    """Return the rows of a video's frames and clips."""
    return [
        {
            "video": name, "kind": kind, "part": number, "first_frame": part.first, "last_frame": part.last,
            "start": round(part.start, 4), "end": round(part.end, 4), "score": _rounded(part.score),
        }
        for kind, parts in (("frame", result.frames), ("clip", result.clips))
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
                handle.write(json.dumps({name: row[name] for name in columns}, ensure_ascii=False) + "\n")
            return
        writer = csv.writer(handle)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(name, row[name]) for name in columns])


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


def is_table(path: Path, columns: Mapping[str, type]) -> bool:
    """Tell whether a file is a table that `write_rows` has written: its columns are exactly these.

    Args:
        path: of the file; its ending tells the format.
        columns: of the table.
    """
    if path.suffix == ".csv":
        return begins_with(path, ",".join(columns))
    try:
        if path.suffix == ".jsonl":
            with path.open("rb") as handle:
                first = json.loads(handle.readline(_LONGEST_LINE))
            return isinstance(first, dict) and list(first) == list(columns)
        return list(_arrow()[1].read_schema(path).names) == list(columns)
    except (OSError, ValueError):  # what pyarrow raises of files that are none of its own is a ValueError
        return False


def refuse_other_files(output: Path, *, details: bool) -> None:
    """Refuse to replace what this command did not write, at the output or at the table of details.

    Raises:
        SettingsError: there is such a file.
    """
    way = "give another name, or overwrite=true"
    refuse_foreign(output, lambda path: is_table(path, COLUMNS), way)
    if details:
        refuse_foreign(details_path(output), lambda path: is_table(path, PART_COLUMNS), way)


def details_path(output: Path) -> Path:
    """Return where the rows of frames or clips go: `scores.csv` has them in `scores.details.csv`."""
    return output.with_name(f"{output.stem}.details{output.suffix}")
