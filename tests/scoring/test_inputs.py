import tracemalloc
from pathlib import Path

import pytest

from zoomvqa.errors import UserError
from zoomvqa.scoring.inputs import find_inputs


@pytest.fixture
def folder(tmp_path):
    for name in ("b.mp4", "a.MOV", "notes.txt", "sub/c.webm", ".hidden.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(text) -> list[str]:
    return [Path(item.place).name for item in find_inputs(str(text))]


def test_video(folder):
    (item,) = find_inputs(str(folder / "b.mp4"))
    assert item.name == str(folder / "b.mp4")


def test_folder(folder):
    assert names(folder) == ["a.MOV", "b.mp4", "c.webm"]


def test_glob(folder):
    assert names(folder / "*.mp4") == ["b.mp4"]
    assert names(folder / "**" / "*.webm") == ["c.webm"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_list(folder, encoding):
    (folder / "list.txt").write_text("# mine\nb.mp4\n\nsub/c.webm\nmissing.mp4\n", encoding=encoding)
    found = list(find_inputs(str(folder / "list.txt")))
    assert [i.name for i in found] == ["b.mp4", "sub/c.webm", "missing.mp4"]
    assert found[1].place == str(folder / "sub" / "c.webm")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        "video,mos\nb.mp4,3\n",
        "score;filename\n3;b.mp4\n",
        "File\nb.mp4\n",
        "sep=|\nmos|video\n3|b.mp4\n",
        "\r\n\r\nmos\tvideo\r\n3\tb.mp4\r\n",
    ],
)
def test_table(folder, text, encoding):
    (folder / "t.csv").write_text(text, encoding=encoding)
    assert next(iter(find_inputs(str(folder / "t.csv")))).place == str(folder / "b.mp4")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "clip,mos\nb.mp4,3\n", "needs a header with a column of videos"),
        ("t.csv", "", "needs a header"),
        ("t.csv", "video,mos\n,3\n", "no video in the column 'video'"),
        ("l.txt", "\n# nothing\n", "there is no path in"),
    ],
)
def test_lists_without_videos(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        find_inputs(str(tmp_path / name))


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="input: no such file or folder"):
        find_inputs(str(tmp_path / "no.mp4"))
    with pytest.raises(UserError, match="there is no video below"):
        find_inputs(str(tmp_path))
    with pytest.raises(UserError, match="no file matches"):
        find_inputs(str(tmp_path / "*.mp4"))


def test_binary_list(tmp_path):
    (tmp_path / "l.txt").write_bytes(b"\xff\xfe\x81")
    with pytest.raises(UserError, match="not a readable text file"):
        find_inputs(str(tmp_path / "l.txt"))
    (tmp_path / "late.txt").write_bytes(b"a.mp4\n" * 9_000 + b"\xff\n")
    with pytest.raises(UserError, match="not a readable text file"):
        find_inputs(str(tmp_path / "late.txt")).count()


def test_long_lists_are_not_held(tmp_path):
    (tmp_path / "l.txt").write_text("".join(f"{i}.mp4\n" for i in range(50_000)))
    (tmp_path / "t.csv").write_text("video\n" + "".join(f"{i}.mp4\n" for i in range(50_000)))
    for name in ("l.txt", "t.csv"):
        found = find_inputs(str(tmp_path / name))
        tracemalloc.start()
        assert found.count() == found.count() == 50_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()


def test_folders_come_in_the_order_of_their_paths(tmp_path):
    names = ("b/z.mp4", "a.mp4", "b.mp4", "b/a/y.mp4", "B.mp4", "b0/x.mp4", ".c/w.mp4")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    found = [Path(item.place) for item in find_inputs(str(tmp_path))]
    assert found == sorted(tmp_path / name for name in names)


def test_addresses_are_left_as_they_are(tmp_path):
    (tmp_path / "l.txt").write_text("s3://bucket/a.mp4\n")
    for text in (str(tmp_path / "l.txt"), "s3://bucket/a.mp4"):
        assert [(i.name, i.place) for i in find_inputs(text)] == [("s3://bucket/a.mp4", "s3://bucket/a.mp4")]


def test_what_a_folder_leaves_out_is_told(tmp_path, capsys):
    (tmp_path / "a.r3d").touch()
    with pytest.raises(UserError, match=r"there is no video below .*; 1 files below .* left out \(1 \.r3d\)"):
        find_inputs(str(tmp_path))
    (tmp_path / "a.mxf").touch()
    assert [item.place for item in find_inputs(str(tmp_path))] == [str(tmp_path / "a.mxf")]
    told = f"1 files below {tmp_path} have no ending of a video and are left out (1 .r3d)"
    assert capsys.readouterr().err.splitlines() == [told]
    (tmp_path / "a.r3d").unlink()
    find_inputs(str(tmp_path))
    assert capsys.readouterr().err == ""
