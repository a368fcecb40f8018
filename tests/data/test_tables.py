"""MATLAB files, and files with a header of the user's own."""

import numpy as np
import pytest
from scipy.io import savemat

from zoomvqa.data.annotations import read_labels
from zoomvqa.data.tables import read_table
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
