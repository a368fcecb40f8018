"""MATLAB files, and files with a header of the user's own."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from zoomvqa.data.annotations import read_labels
from zoomvqa.data.tables import number_in, read_table
from zoomvqa.errors import AnnotationError


def test_whole_numbers_in_place_of_scores_are_told(tmp_path, capsys):
    names = np.array([["a.avi"], ["b.avi"]], dtype=object)
    savemat(tmp_path / "CVD2014_data.mat", {"video_name": names, "video_score": np.array([[71], [25]], np.uint8)})
    assert [label.mos for label in read_labels(tmp_path / "CVD2014_data.mat")] == [71, 25]
    assert "the column video_score holds whole numbers only" in capsys.readouterr().err


def test_texts_of_one_width(tmp_path):
    savemat(tmp_path / "t.mat", {"video_list": np.array(["a.mp4 ", "bb.mp4"]), "MOS": np.array([1.5, 2.5])})
    assert [(x.video, x.mos) for x in read_labels(tmp_path / "t.mat")] == [("a.mp4", 1.5), ("bb.mp4", 2.5)]


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "not a MATLAB file"), (b"video,mos\n" * 30, "not a MATLAB file")]
)
def test_what_is_no_matlab_file(tmp_path, content, message):
    (tmp_path / "t.mat").write_bytes(content)
    with pytest.raises(AnnotationError, match=message):
        read_table(tmp_path / "t.mat")


def test_other_matlab_files(tmp_path):
    with pytest.raises(AnnotationError, match="no such annotation file"):
        read_table(tmp_path / "no.mat")
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\0" * 400)
    with pytest.raises(AnnotationError, match=r"a MATLAB 7\.3 file; save it with -v7"):
        read_table(tmp_path / "new.mat")
    savemat(tmp_path / "empty.mat", {})
    with pytest.raises(AnnotationError, match="no columns in it"):
        read_table(tmp_path / "empty.mat")


def test_a_header_of_the_users(tmp_path):
    (tmp_path / "t.txt").write_text("a.mp4, 1, 2, 3\n")
    (label,) = read_labels(tmp_path / "t.txt", {"mos": "b"}, header=("video", "a", "b", "c"))
    assert label.mos == 2
    with pytest.raises(AnnotationError, match="row 1: expected `video, a, b`, got"):
        read_labels(tmp_path / "t.txt", header=("video", "a", "b"))


def test_groups_and_is_test(tmp_path):
    (tmp_path / "t.csv").write_text("video,mos,kind,is_test\na,1,blur,True\nb,2,noise,False\n")
    labels = read_labels(tmp_path / "t.csv", groups=("kind", "not there"))
    assert [(x.split, dict(x.groups)) for x in labels] == [
        ("test", {"kind": "blur"}),
        ("train", {"kind": "noise"}),
    ]
    (tmp_path / "t.csv").write_text("video,mos,is_test\na,1,maybe\n")
    with pytest.raises(AnnotationError, match="split 'maybe'"):
        read_labels(tmp_path / "t.csv")


def test_case_does_not_count_where_the_pattern_says_so(tmp_path):
    (tmp_path / "t.csv").write_text("video,mos\nScene_1,1\nsCENE_2,2\n")
    assert {x.content for x in read_labels(tmp_path / "t.csv", content_pattern="(?i)^(.+)_")} == {"scene"}
    assert len({x.content for x in read_labels(tmp_path / "t.csv", content_pattern="^(.+)_")}) == 2


def test_an_array_of_structs_has_a_row_a_video(tmp_path):
    data = np.array([("3339962845", 1.5), ("b", 2.5)], dtype=[("name", object), ("mos", object)])
    savemat(tmp_path / "t.mat", {"data": data})
    assert [(x.video, x.mos) for x in read_labels(tmp_path / "t.mat")] == [("3339962845", 1.5), ("b", 2.5)]


def test_numbers_that_are_names_stay_whole(tmp_path):
    savemat(tmp_path / "t.mat", {"flickr_id": np.array([3339962845.0, 7.0e9]), "MOS": np.array([1.5, 2.0])})
    assert [x.video for x in read_labels(tmp_path / "t.mat")] == ["3339962845", "7000000000"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "video,mos\na.mp4,3,9\n", "row 2: 3 cells where the header has 2"),
        ("t.csv", ",,,\n,,\n", "no video is listed in it"),
        ("t.csv", "video,mos\na.mp4,1e300\n", "the MOS '1e300' is not a finite number"),
        ("t.json", "[" * 100_000, "not JSON"),
        ("t.json", '{"train": [["a", 1' + "0" * 5000 + "]]}", "not JSON"),
    ],
)
def test_tables_that_are_wrong(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(AnnotationError, match=message):
        read_labels(tmp_path / name)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8-sig", b""), ("utf-16", b""), ("utf-32", b""), ("utf-16-be", b"\xfe\xff")],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_tables_as_programs_write_them(tmp_path, encoding, mark, ends):
    (tmp_path / "t.csv").write_bytes(mark + ends.join(["video;mos", "é.mp4;1,5", ""]).encode(encoding))
    assert [(x.video, x.mos) for x in read_labels(tmp_path / "t.csv")] == [("é.mp4", 1.5)]


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=|"\n', "SEP=\t\n", "\nsep=,\r\n"])
def test_the_line_that_tells_excel_the_separator(tmp_path, first):
    between = first.strip('\n\r"')[-1]
    (tmp_path / "t.csv").write_bytes((first + f"video{between}mos\na.mp4{between}3\n").encode())
    assert [(x.video, x.mos) for x in read_labels(tmp_path / "t.csv")] == [("a.mp4", 3)]
    (tmp_path / "t.csv").write_bytes((first + f"video{between}mos\na.mp4{between}x\n").encode())
    with pytest.raises(AnnotationError, match="row 3: the MOS 'x'"):
        read_labels(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("video,mos\né.mp4,3\n".encode("cp1252"), r"row 2 is not UTF-8 \(perhaps Windows-1252, Excel's plain CSV"),
        ("video,mos\na.mp4,3\n".encode("utf-16-le"), r"zero bytes in it \(UTF-16 without a mark"),
        (b"\xff\xfeabc", "row 1 is not UTF-16 "),
        (b"PK\x03\x04\x14\x00", "an Excel workbook, no text; save it as 'CSV UTF-8'"),
    ],
)
def test_other_encodings_are_named(tmp_path, data, message):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(AnnotationError, match=message) as refused:
        read_labels(tmp_path / "t.csv")
    assert "\n" not in str(refused.value)


def test_what_has_no_end_is_no_table(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    for path in (tmp_path / "t.csv", Path("/dev/zero"), tmp_path):
        with pytest.raises(AnnotationError, match="not a file: "):
            read_table(path)


def test_empty_cells_beyond_the_header_do_no_harm(tmp_path):
    (tmp_path / "t.csv").write_text("video,mos\na.mp4,3,,\n")
    assert read_labels(tmp_path / "t.csv")[0].mos == 3


def test_a_pattern_whose_group_takes_no_part(tmp_path):
    (tmp_path / "t.csv").write_text("video,mos\na.mp4,3\n")
    with pytest.raises(AnnotationError, match="does not match the video name 'a.mp4'"):
        read_labels(tmp_path / "t.csv", content_pattern="(?i)^(x)?a")


@pytest.mark.parametrize(
    "text", ["4_5", "1_0.0", "１", "4٫5", "nan", "inf", "-Infinity", "1e400", "1e31", "0x10", "4 5", ""]
)
def test_what_is_no_number(text):
    assert number_in(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("-4.5", -4.5),
        ("+4.5", 4.5),
        (" .5 ", 0.5),
        ("4.", 4),
        ("1e-2", 0.01),
        ("4,5", 4.5),
        ("1E+2", 100),
    ],
)
def test_what_is_a_number(text, value):
    assert number_in(text) == value
