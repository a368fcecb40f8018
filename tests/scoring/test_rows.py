"""Rows of scores in files."""

import csv
import json
import sys

import pytest
from pyarrow import parquet

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.scoring.parts import PartScore
from zoomvqa.scoring.rows import (
    PART_COLUMNS,
    columns_of,
    details_path,
    part_rows_of,
    refuse_output,
    row_of,
    write_rows,
)
from zoomvqa.scoring.scorer import VideoScore

COLUMNS = columns_of(["iqa", "vqa"])
PARTS = {"iqa": [PartScore(0, 0, 0.0, 0.0, 51.0)], "vqa": [PartScore(13, 44, 0.43, 1.47, 51.5, "clip")]}
GOOD = VideoScore(51.25, "", {"iqa": 50.0, "vqa": 52.5}, PARTS, 0.2, "decord")
BAD = VideoScore(None, "not a readable video:\nInvalid data", seconds=0.01)
ROWS = [row_of("a,1.mp4", GOOD), row_of("b.mp4", BAD)]
# As they are in files: with nothing where a branch has no score.
FULL = [{name: row.get(name) for name in COLUMNS} for row in ROWS]


def test_csv(tmp_path):
    write_rows(tmp_path / "s.csv", ROWS, COLUMNS)
    with (tmp_path / "s.csv").open(newline="") as handle:
        first, second = csv.DictReader(handle)
    assert (first["video"], first["score"], first["status"]) == ("a,1.mp4", "51.250000", "ok")
    assert (first["iqa"], first["vqa"], first["frames"], first["clips"]) == ("50.000000", "52.500000", "1", "1")
    assert (second["score"], second["status"], second["seconds"]) == ("", "error", "0.010")
    assert second["error"] == "not a readable video: Invalid data"


def test_details(tmp_path):
    write_rows(tmp_path / "s.details.csv", part_rows_of("a,1.mp4", GOOD), PART_COLUMNS)
    with (tmp_path / "s.details.csv").open(newline="") as handle:
        assert [list(r.values())[1:] for r in csv.DictReader(handle)] == [
            ["iqa", "frame", "0", "0", "0", "0.0000", "0.0000", "51.000000"],
            ["vqa", "clip", "0", "13", "44", "0.4300", "1.4700", "51.500000"],
        ]
    assert details_path(tmp_path / "s.csv") == tmp_path / "s.details.csv"
    assert part_rows_of("b.mp4", BAD) == []


def test_json_lines_and_parquet_hold_the_same(tmp_path):
    write_rows(tmp_path / "s.jsonl", ROWS, COLUMNS)
    lines = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert lines == FULL
    assert lines[1]["score"] is None
    write_rows(tmp_path / "s.parquet", ROWS, COLUMNS)
    assert parquet.read_table(tmp_path / "s.parquet").to_pylist() == FULL


def test_no_rows_are_a_table_too(tmp_path):
    for ending in ("csv", "jsonl", "parquet"):
        write_rows(tmp_path / f"s.{ending}", [], COLUMNS)
    assert (tmp_path / "s.csv").read_text().strip() == ",".join(COLUMNS)
    assert (tmp_path / "s.jsonl").read_text() == ""
    assert parquet.read_table(tmp_path / "s.parquet").column_names == list(COLUMNS)


def test_outputs_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for output, message in [
        (tmp_path, "is a folder"),
        (tmp_path / "file" / "s.csv", "cannot be made"),
        (tmp_path / "s.xlsx", "output: got s.xlsx, expected a name ending with .csv, .jsonl, .parquet"),
    ]:
        with pytest.raises(SettingsError, match=message):
            refuse_output(output)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ToolError, match=r"output: Parquet needs pyarrow; pip install 'zoomvqa\[parquet\]'"):
        refuse_output(tmp_path / "s.parquet")
