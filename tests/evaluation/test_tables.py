"""The field's table."""

import csv
import io

from zoomvqa.evaluation.tables import Method, as_csv, latex, markdown, published, write_tables

SETS = ["konvid1k", "my_set"]
OURS = Method("a_b|c", {"konvid1k": (0.81234, None)}, "here & now", own=True)


def test_every_published_figure_has_a_source_and_is_a_correlation():
    names = ["vdpve", "lsvq_test", "lsvq_1080p", "konvid1k", "live_vqc"]
    methods = published(names)
    assert {"FAST-VQA", "DOVER", "Zoom-VQA"} <= {m.name for m in methods}
    for method in methods:
        assert method.source
        assert not method.own
        assert set(method.figures) <= set(names)
        for pair in method.figures.values():
            assert any(value is not None for value in pair)
            assert all(value is None or 0.5 < value < 1 for value in pair)
    assert published(["my_set"]) == []


def test_published_figures_tell_where_they_come_from():
    kinds = ("paper: ", "authors' repository: ", "later papers: ", "log file: ")
    methods = published(["vdpve", "lsvq_test", "live_vqc"])
    assert {m.source.split(": ")[0] + ": " for m in methods} == set(kinds)
    dover = {m.source.split(": ")[0]: m.figures["live_vqc"] for m in methods if m.name.startswith("DOVER")}
    assert dover == {"authors' repository": (None, 0.854), "later papers": (0.817, 0.840)}


def test_figures_of_the_release_say_that_more_was_trained_on_than_is_published():
    rows = {m.name: m for m in published(["vdpve"])}
    assert rows["Zoom-VQA VQA branch, EMA (the published file)"].figures["vdpve"] == (0.7389, 0.7449)
    assert rows["Zoom-VQA VQA branch, raw weights"].figures["vdpve"] == (0.7567, 0.7551)
    assert all("more than the 728 labelled videos" in m.source for m in rows.values())


def test_markdown():
    assert markdown([OURS], SETS).splitlines()[2:] == [
        "| method | konvid1k | my_set | source |",
        "| --- | --- | --- | --- |",
        "| **a_b\\|c** | 0.812 / – | – | here & now |",
    ]


def test_csv():
    (row,) = csv.DictReader(io.StringIO(as_csv([OURS], SETS)))
    assert row == {
        "method": "a_b|c", "konvid1k_srcc": "0.8123", "konvid1k_plcc": "", "my_set_srcc": "", "my_set_plcc": "",
        "source": "here & now",
    }  # fmt: skip


def test_latex():
    lines = latex([OURS, Method("x%^~\\\n{y}", {}, "there")], SETS).splitlines()
    assert lines[0] == "\\begin{tabular}{lccl}"
    assert "SRCC / PLCC & konvid1k & my\\_set & source \\\\" in lines
    assert "\\textbf{a\\_b|c} & 0.812 / – & – & here \\& now \\\\" in lines
    special = r"x\%\textasciicircum{}\textasciitilde{}\textbackslash{} \{y\}"
    assert f"{special} & – & – & there \\\\" in lines


def test_files(tmp_path):
    write_tables(tmp_path, [OURS], SETS)
    assert {p.name for p in tmp_path.iterdir()} == {"table.md", "table.csv", "table.tex"}
    assert (tmp_path / "table.md").read_text() == markdown([OURS], SETS)
