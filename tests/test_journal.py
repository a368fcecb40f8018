"""Results kept as they come."""

from zoomvqa.journal import open_journal

MADE = {"ckpt": "a", "sizes": (1, 2)}


def test_what_was_written_is_known(tmp_path):
    path = tmp_path / "new" / "j.jsonl"
    with open_journal(path, MADE) as journal:
        assert journal.known == {}
        journal.write("a", {"score": 0.1 + 0.2})
        journal.write("b,\n", None)
        journal.write("a", {"score": 1})
        assert journal.known["a"] == {"score": 1}
    with open_journal(path, MADE) as journal:
        assert journal.known == {"a": {"score": 1}, "b,\n": None}


def test_every_cut_leaves_the_lines_before_it(tmp_path):
    path = tmp_path / "j.jsonl"
    with open_journal(path, MADE) as journal:
        for i in range(3):
            journal.write(str(i), 0.1 * i)
    whole = path.read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with open_journal(path, MADE) as journal:
            complete = sum(end <= cut for end in ends[1:])
            assert journal.known == {str(i): 0.1 * i for i in range(complete)}
            journal.write("more", [cut])
        with open_journal(path, MADE) as journal:
            assert journal.known == {**{str(i): 0.1 * i for i in range(complete)}, "more": [cut]}


def test_what_is_made_from_something_else_is_begun_anew(tmp_path):
    path = tmp_path / "j.jsonl"
    for before in (b"", b"video,score\n", b"\xff\xfe", b"[]\n{}\n"):
        path.write_bytes(before)
        with open_journal(path, MADE) as journal:
            assert journal.known == {}
            journal.write("a", 1)
        with open_journal(path, MADE) as journal:
            assert journal.known == {"a": 1}
    with open_journal(path, MADE | {"ckpt": "b"}) as journal:
        assert journal.known == {}
    with open_journal(path, MADE) as journal:
        assert journal.known == {}
