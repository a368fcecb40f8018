"""Processes that leave the caller's main script alone."""

import subprocess
import sys
from multiprocessing import spawn

import pytest

from zoomvqa.internals import main_module
from zoomvqa.internals.main_module import ProcessWithoutMain

# Two threads start processes, while a third looks whether the main module is whole; a fourth starts plain ones.
SCRIPT = """
import sys, threading
from multiprocessing import get_context
from zoomvqa.scoring.feeders import Feeders, Task
from zoomvqa.scoring.pieces import Reading
print("begins")
if __name__ == "__main__":
    main, seen, stop = sys.modules["__main__"], set(), threading.Event()
    before = main.__file__, id(main.__spec__)

    def watch():
        while not stop.is_set():
            seen.add((getattr(main, "__file__", None), id(getattr(main, "__spec__", 0))))

    found = []

    def score():
        for number in range(3):
            found.extend(Feeders(Task({}, Reading()), 2, 60).look([(number, "none.mp4"), (number, "none.mp4")]))

    threads = [threading.Thread(target=score) for _ in range(2)]
    looking = threading.Thread(target=watch)
    for thread in (looking, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    looking.join()
    print(len(found), {message.reason for _, message in found}, seen == {before})
"""


def run(tmp_path, text: str, *words: str) -> subprocess.CompletedProcess:
    (script := tmp_path / "script.py").write_text(text)
    words = words or (str(script),)
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=240, check=False, cwd=tmp_path
    )


@pytest.mark.slow
@pytest.mark.parametrize("as_module", [False, True])
def test_threads_start_processes_beside_each_other(tmp_path, as_module):
    """`python script.py` has a path, `python -m script` has a name: neither is imported in a process."""
    done = run(tmp_path, SCRIPT, *(("-m", "script") if as_module else ()))
    assert (done.stdout, done.stderr) == ("begins\n12 {'no such file: none.mp4'} True\n", "")


def test_the_preparation_data_has_no_main(monkeypatch):
    whole = {"name": "x", "init_main_from_path": "/a.py", "init_main_from_name": "a", "sys_path": []}
    monkeypatch.setattr(spawn, "get_preparation_data", lambda name: whole | {"name": name})
    assert main_module._without_main("y") == {"name": "y", "sys_path": []}


@pytest.fixture
def anew():
    main_module._starter.cache_clear()
    yield
    main_module._starter.cache_clear()


def shout(line) -> None:
    line.send("here")


@pytest.mark.parametrize("gone", [True, False])
def test_a_python_that_starts_processes_otherwise(monkeypatch, capsys, anew, gone):
    """The process still starts; that it imports the main script is said once."""
    module = sys.modules.get("multiprocessing.popen_forkserver") or pytest.importorskip(
        "multiprocessing.popen_forkserver"
    )
    if gone:  # where the name is not looked up as is known; what starts is the same
        launch = module.Popen._launch

        def other(*given: object) -> None:
            launch(*given)

        monkeypatch.setattr(module.Popen, "_launch", other)
    for _ in range(2):
        ours, theirs = main_module.multiprocessing.get_context(main_module.METHOD).Pipe()
        process = ProcessWithoutMain(target=shout, args=(theirs,), daemon=True)
        process.start()
        assert ours.recv() == "here"
        process.join(30)
        assert process.exitcode == 0
    said = capsys.readouterr().err
    assert said.count("each of them imports the main script") == int(gone)
