"""The table of a protocol, while it is not complete and when it is."""

import csv
import json

from zoomvqa.evaluation.summary import Row, write_summary

FIGURES = {"videos": 5, "failed": 0, "srcc": 0.5, "notes": []}


def test_a_table_says_whether_it_is_complete(tmp_path):
    for done, told in ((1, "partial: 1 of 2 runs"), (2, "complete")):
        write_summary(tmp_path, [Row(n, 0, FIGURES, "x") for n in range(done)], planned=2)
        with (tmp_path / "protocol.csv").open(newline="") as handle:
            assert {row["table"] for row in csv.DictReader(handle)} == {told}
        assert json.loads((tmp_path / "protocol.json").read_text())["complete"] == (done == 2)
