import pytest

from zoomvqa.files import cache_folder, whole_file, whole_folder


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "sub" / "a.txt"
    with whole_file(path) as handle:
        handle.write("ü")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "ü"


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as handle:
        handle.write("new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_appears_whole(tmp_path):
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "x") as work:
        (work / "a").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with whole_folder(tmp_path / "x") as work:
        (work / "a").touch()
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["a"]


def test_cache_folder(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("ZOOMVQA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "zoomvqa"
