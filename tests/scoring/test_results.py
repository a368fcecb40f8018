"""Results of scoring runs."""

import csv

import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.journal import open_journal
from zoomvqa.processes import Share
from zoomvqa.scoring.inputs import Input, these_inputs
from zoomvqa.scoring.results import open_results, write_results
from zoomvqa.scoring.scorer import VideoScore

MADE = {"ckpt": "a"}


@pytest.fixture
def inputs(tmp_path):
    for name in "abcde":
        (tmp_path / name).write_text(name)
    return these_inputs(Input(name, str(tmp_path / name)) for name in "abcdea")


def result(score: float) -> VideoScore:
    return VideoScore(score, branches={"iqa": score})


def test_rows_come_in_the_order_of_the_inputs_one_each(inputs, tmp_path):
    skipped = []
    with open_results(tmp_path / "s.part", MADE, Share(), details=False) as results:
        todo = list(results.left(inputs, lambda: skipped.append(1)))
        assert [name for name, _ in todo] == list("abcde")
        assert len(skipped) == 1  # the second a
        for number, (name, _) in reversed(list(enumerate(todo))):
            results.add(name, result(number))
        assert list(results.left(inputs, lambda: None)) == []
        write_results(inputs, results, tmp_path / "s.csv", ["iqa"], details=False)
    with (tmp_path / "s.csv").open() as handle:
        found = [(row["video"], float(row["score"])) for row in csv.DictReader(handle)]
    assert found == [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4), ("a", 0)]


def test_files_that_changed_are_left_to_do(inputs, tmp_path):
    with open_results(tmp_path / "s.part", MADE, Share(), details=False) as results:
        for name, _ in results.left(inputs, lambda: None):
            if name == "c":  # while it is being scored: what was read counts
                (tmp_path / "c").write_text("changed")
            results.add(name, result(1))
    (tmp_path / "e").unlink()
    with open_results(tmp_path / "s.part", MADE, Share(), details=False) as results:
        assert [name for name, _ in results.left(inputs, lambda: None)] == ["c", "e"]
        with pytest.raises(SettingsError, match="input: it changed meanwhile: f is new"):
            results.entry(Input("f", "f"))
    with open_results(tmp_path / "s.part", {"ckpt": "b"}, Share(), details=False) as results:
        assert len(list(results.left(inputs, lambda: None))) == 5


def test_several_processes_keep_files_of_their_own_that_are_gathered(inputs, tmp_path):
    path = tmp_path / "s.part"
    with open_results(path, MADE, Share(), details=False) as results:
        next(results.left(inputs, lambda: None))
        results.add("a", result(0))
    with (
        open_results(path, MADE, Share(0, 2), details=False) as first,
        open_results(path, MADE, Share(1, 2), details=False) as second,
    ):
        assert first.knows(Input("a", str(tmp_path / "a")))
        for results, name in ((first, "b"), (second, "c"), (second, "d")):
            assert [n for n, _ in results.left([Input(name, str(tmp_path / name))], lambda: None)] == [name]
            results.add(name, result(ord(name)))
    # What is of another making, or no part of a run, is not gathered.
    with open_journal(tmp_path / "s.part.7", {"ckpt": "b"}) as other:
        other.write("e", {})
    (tmp_path / "s.part.old").write_text("mine")
    with open_results(path, MADE, Share(), details=False) as results:
        assert [name for name, _ in results.left(inputs, lambda: None)] == ["e"]
        assert results.entry(Input("d", ""))["row"]["score"] == ord("d")
    assert sorted(p.name for p in tmp_path.glob("s.part*")) == ["s.part", "s.part.old"]
