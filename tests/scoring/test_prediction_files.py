"""Files of predictions."""

import pytest

from zoomvqa.errors import UserError
from zoomvqa.scoring.prediction_files import read_predictions


def test_a_table_with_a_header(tmp_path):
    (tmp_path / "s.csv").write_text(
        "video,score,status,error\nb.mp4,2.5,ok,\na.mp4,1.5,ok,\nc.mp4,,error,broken\n"
    )
    found = read_predictions(tmp_path / "s.csv", "iqa")
    assert found == ({"b.mp4": 2.5, "a.mp4": 1.5}, ("c.mp4",), False)


def test_lines_and_other_people_s_columns(tmp_path):
    (tmp_path / "r.txt").write_text('a.mp4,1.5\n\n"b,c.mp4", 2\n')
    assert read_predictions(tmp_path / "r.txt", "iqa") == ({"a.mp4": 1.5, "b,c.mp4": 2.0}, (), True)
    (tmp_path / "v.csv").write_text("\ufeffName,gt,Pred\na,9,1\n", encoding="utf-8")
    assert read_predictions(tmp_path / "v.csv", "iqa") == ({"a": 1.0}, (), False)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "text", ["video;score\na.mp4;1,5\n", "sep=|\nscore|video\n1.5|a.mp4\n", "video\tpred\r\na.mp4\t1.5\r\n"]
)
def test_tables_as_other_programs_write_them(tmp_path, text, encoding):
    (tmp_path / "p.csv").write_text(text, encoding=encoding)
    assert read_predictions(tmp_path / "p.csv", "iqa").scores == {"a.mp4": 1.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sep=;\na;1\nb;x\n", "line 3: expected video,score"),
        ("a.mp4\nb.mp4\n", "iqa: .*, line 1: expected video,score or a header with these names, got 'a.mp4'"),
        ("a,1,2\n", "line 1: expected video,score or a header with these names, got 'a,1,2'"),
        ("a,1e99\n", "line 1: expected video,score"),
        ("a.mp4,1\nb.mp4,nan\n", "line 2: expected video,score"),
        ("video,score\na,inf\n", "line 2: expected video,score, got 'a,inf'"),
        ("a.mp4,1\na.mp4,2\n", "lists a.mp4 twice"),
        ("video,mos,score\na.mp4,2\n", "line 2: expected video,score, got 'a.mp4,2'"),
        (",1\n", "line 1: expected video,score"),
        ("video,quality\na,1\n", "line 1: expected video,score or a header with these names, got 'video,quality'"),
    ],
)
def test_files_that_are_wrong(tmp_path, text, message):
    (tmp_path / "i.txt").write_text(text)
    with pytest.raises(UserError, match=message):
        read_predictions(tmp_path / "i.txt", "iqa")
    with pytest.raises(UserError, match="iqa: no such file of predictions: .*none.txt"):
        read_predictions(tmp_path / "none.txt", "iqa")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not a readable text file"):
        read_predictions(tmp_path / "b.txt", "iqa")


@pytest.mark.parametrize("header", ["video,score\n", ""])
def test_underscores_are_no_digits(tmp_path, header):
    (tmp_path / "p.csv").write_text(f"{header}a.mp4,4_5\n")
    with pytest.raises(UserError, match=f"line {2 if header else 1}: expected video,score"):
        read_predictions(tmp_path / "p.csv", "iqa")
