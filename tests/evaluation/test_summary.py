"""The table of a protocol, while it is not complete and when it is."""

import csv
import json

import pytest

from zoomvqa.evaluation.summary import Row, tell, write_summary

FIGURES = {"videos": 5, "failed": 0, "srcc": 0.5, "notes": []}


def test_a_table_says_whether_it_is_complete(tmp_path):
    for done, told in ((1, "partial: 1 of 2 runs"), (2, "complete")):
        write_summary(tmp_path, [Row(n, 0, FIGURES, "x") for n in range(done)], planned=2)
        with (tmp_path / "protocol.csv").open(newline="") as handle:
            assert {row["table"] for row in csv.DictReader(handle)} == {told}
        assert json.loads((tmp_path / "protocol.json").read_text())["complete"] == (done == 2)


def test_failed_runs_and_the_probe_have_lines_of_their_own(tmp_path, capsys):
    rows = [
        Row(0, 0, FIGURES, "a"),
        Row(1, 0, {"error": "no numbers"}, "b"),
        Row(2, 0, FIGURES | {"srcc": 0.7}, "c"),
    ]
    probe = [{"srcc": 0.25}, {"srcc": 0.75}]
    write_summary(tmp_path, rows, planned=3, probe=probe)
    told = json.loads((tmp_path / "protocol.json").read_text())
    assert (told["failed_runs"], told["complete"]) == (1, True)
    assert told["figures"]["srcc"] == {"median": 0.6, "mean": 0.6, "std": pytest.approx(0.02**0.5), "runs": 2}
    assert told["probe"]["srcc"]["mean"] == 0.5
    tell(rows, planned=3, title="t", probe=probe)
    printed = capsys.readouterr().err
    assert "failed: no numbers" in printed
    assert "probe, mean" in printed
    assert "0.500" in printed
