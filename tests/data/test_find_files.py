"""Names in annotations, and the files that they mean."""

import pytest

from zoomvqa.data.find_files import find_files, left_out
from zoomvqa.errors import AnnotationError


@pytest.fixture
def root(tmp_path):
    for name in ("a/1.mp4", "a/2.avi", "b/1.mp4", "b/deep/3.MKV", "top.webm", "x_crf_10.mp4", "deep/y_crf_10.mp4"):
        path = tmp_path / "r" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "outside.mp4").touch()
    return tmp_path / "r"


def found(root, *names, **options):
    return [path.relative_to(root).as_posix() for path in find_files(names, root, **options)]


def test_as_it_stands_with_and_without_an_ending(root):
    names = ("a/1.mp4", "b/1", "top")
    assert found(root, *names) == ["a/1.mp4", "b/1.mp4", "top.webm"]
    assert found(root, "a\\1.mp4", "./top.webm") == ["a/1.mp4", "top.webm"]


def test_anywhere_below_by_what_is_alike(root):
    assert found(root, "2", "3") == ["a/2.avi", "b/deep/3.MKV"]
    assert found(root, "elsewhere/2.avi") == ["a/2.avi"]
    assert found(root, "videos/a/1", "videos/b/1.mp4") == ["a/1.mp4", "b/1.mp4"]
    with pytest.raises(AnnotationError, match="1: several files may be meant: a/1.mp4, b/1.mp4; name it with"):
        find_files(["1"], root)


def test_endings_of_a_set(root):
    assert found(root, "x", "y", endings=["_crf_10"]) == ["x_crf_10.mp4", "deep/y_crf_10.mp4"]
    with pytest.raises(AnnotationError, match="1 of 1 videos are not under"):
        find_files(["x"], root)


def test_nothing_outside_the_root_is_found(root):
    for name in ("../outside.mp4", "../outside", "/etc/passwd", str(root.parent / "outside.mp4"), "..", "/"):
        with pytest.raises(AnnotationError, match="1 of 1 videos are not under"):
            find_files([name], root)
        with pytest.raises(AnnotationError, match="1 of 1 videos are not under"):
            find_files([name], root, frames=True)


def test_a_name_of_any_length(root):
    with pytest.raises(AnnotationError, match="1 of 1 videos are not under") as refused:
        find_files(["x" * 10_000], root)
    assert len(str(refused.value)) < 1000


def test_many_missing_are_counted(root):
    with pytest.raises(AnnotationError, match=r"(?s)30 of 31 videos are not under.*  n19\n  … and 10 more"):
        find_files(["top", *(f"n{i}" for i in range(30))], root)


def test_links_are_followed_and_end(root):
    elsewhere = root.parent / "disk"
    elsewhere.mkdir()
    (elsewhere / "9.mp4").touch()
    (root / "Videos").symlink_to(elsewhere)
    (elsewhere / "again").symlink_to(root)
    (root / "a" / "nowhere.mp4").symlink_to(root / "gone")
    assert found(root, "9") == ["Videos/9.mp4"]


def test_another_container_of_the_same_video(root):
    assert found(root, "b/deep/3.yuv") == ["b/deep/3.MKV"]


@pytest.mark.parametrize(
    "ending", ["mxf", "asf", "vob", "dv", "m2v", "rmvb", "F4V", "h265", "divx", "qt", "gxf", "nut"]
)
def test_endings_that_ffmpeg_reads(tmp_path, ending):
    (tmp_path / f"a.{ending}").touch()
    if ending.islower():
        assert find_files(["a"], tmp_path) == [tmp_path / f"a.{ending}"]
    assert left_out(tmp_path) == ""


def test_a_name_with_an_ending_of_its_own_is_found_below(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.clip").touch()
    assert find_files(["a.clip"], tmp_path) == [tmp_path / "sub" / "a.clip"]
    with pytest.raises(AnnotationError, match="1 of 1 videos are not under"):
        find_files(["a"], tmp_path)


def test_what_is_left_out_is_counted(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.mp4", "b.r3d", "sub/c.R3D", "d.braw", "e", "notes.txt", "mos.csv", ".hidden.r3d"):
        (tmp_path / name).touch()
    told = f"4 files below {tmp_path} have no ending of a video and are left out (2 .r3d, 1 .braw, 1 no ending)"
    assert left_out(tmp_path) == told
    assert "(1 .r3d, 1 .braw, 1 no ending)" in left_out(tmp_path, tmp_path / "sub")
    for i in range(9):
        (tmp_path / f"x.e{i}").touch()
    assert left_out(tmp_path).endswith(", …)")
