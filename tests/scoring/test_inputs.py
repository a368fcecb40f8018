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
    return [item.path.name for item in find_inputs(str(text))]


def test_video(folder):
    (item,) = find_inputs(str(folder / "b.mp4"))
    assert item.name == str(folder / "b.mp4")


def test_folder(folder):
    assert names(folder) == ["a.MOV", "b.mp4", "c.webm"]


def test_glob(folder):
    assert names(folder / "*.mp4") == ["b.mp4"]
    assert names(folder / "**" / "*.webm") == ["c.webm"]


def test_list(folder):
    (folder / "list.txt").write_text("# mine\nb.mp4\n\nsub/c.webm\nmissing.mp4\n")
    found = find_inputs(str(folder / "list.txt"))
    assert [i.name for i in found] == ["b.mp4", "sub/c.webm", "missing.mp4"]
    assert found[1].path == folder / "sub" / "c.webm"


@pytest.mark.parametrize("text", ["video,mos\nb.mp4,3\n", "score;filename\n3;b.mp4\n", "\ufeffFile\nb.mp4\n"])
def test_table(folder, text):
    (folder / "t.csv").write_text(text, encoding="utf-8")
    assert find_inputs(str(folder / "t.csv"))[0].path == folder / "b.mp4"


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
