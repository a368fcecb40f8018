"""Results kept as they come."""

import multiprocessing
import os
import signal

import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.journal import open_journal, read_journal

MADE = {"ckpt": "a", "sizes": (1, 2)}


def test_what_was_written_is_known(tmp_path):
    path = tmp_path / "new" / "j.part"
    with open_journal(path, MADE) as journal:
        assert len(journal) == 0
        journal.write("a", {"score": 0.1 + 0.2})
        journal.write("b,\n", None)
        journal.write("bytes\udcff", [1])
        assert journal["a"] == {"score": 0.1 + 0.2}
        journal.write("a", {"score": 1})
    with open_journal(path, MADE) as journal:
        assert [journal["a"], journal["b,\n"], journal["bytes\udcff"]] == [{"score": 1}, None, [1]]
        assert (len(journal), "a" in journal, "c" in journal) == (3, True, False)
        with pytest.raises(KeyError, match="c"):
            journal["c"]
    with read_journal(path) as one, read_journal(path) as other:
        assert one["a"] == other["a"] == {"score": 1}
    assert [p.name for p in path.parent.iterdir()] == ["j.part"]


def write_and_die(path: str, count: int) -> None:
    with open_journal(path, MADE) as journal:  # type: ignore[arg-type]
        for i in range(count):
            journal.write(str(i), 0.1 * i)
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("count", [0, 1, 50])
def test_a_killed_process_leaves_all_it_wrote(tmp_path, count):
    process = multiprocessing.get_context("fork").Process(target=write_and_die, args=(tmp_path / "j", count))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with open_journal(tmp_path / "j", MADE) as journal:
        assert [journal[str(i)] for i in range(count)] == [0.1 * i for i in range(count)]
        assert len(journal) == count


def test_what_is_made_from_something_else_is_begun_anew(tmp_path):
    path = tmp_path / "j"
    for before in (b"", b"SQLite", b"\0" * 900, b"SQLite format 3\0" + b"\0" * 600):
        path.write_bytes(before)
        with open_journal(path, MADE) as journal:
            assert len(journal) == 0
            journal.write("a", 1)
        with open_journal(path, MADE) as journal:
            assert journal["a"] == 1
    with open_journal(path, MADE | {"ckpt": "b"}) as journal:
        assert len(journal) == 0
    with open_journal(path, MADE) as journal:
        assert len(journal) == 0


def test_one_process_at_a_time(tmp_path):
    with (
        open_journal(tmp_path / "j", MADE),
        pytest.raises(
            SettingsError, match=r"j cannot be written \(database is locked\); another run may be at it"
        ),
        open_journal(tmp_path / "j", MADE),
    ):
        pass


def test_entries_of_another_are_taken_over(tmp_path):
    for name, keys in (("one", "ab"), ("two", "bc")):
        with open_journal(tmp_path / name, MADE) as journal:
            for key in keys:
                journal.write(key, name)
    with open_journal(tmp_path / "one", MADE) as journal:
        journal.take_over(tmp_path / "two")
        assert [journal[key] for key in "abc"] == ["one", "two", "two"]
