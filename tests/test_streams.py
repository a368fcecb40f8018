"""Standard streams that are closed, or that nobody reads."""

import errno
import io
import subprocess
import sys

import pytest

from zoomvqa.streams import steady_streams

START = "from zoomvqa.streams import open_closed_streams, steady_streams\nimport os, sys\nopen_closed_streams()\n"


def shell(code: str, redirected: str) -> subprocess.CompletedProcess[str]:
    command = f'"$PY" -c "$CODE" {redirected}'
    environment = {"PY": sys.executable, "CODE": START + code, "PYTHONPATH": ":".join(p for p in sys.path if p)}
    return subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("redirected", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_closed_stream(redirected, tmp_path):
    code = f"handle = open({str(tmp_path / 'a')!r}, 'w')\nassert handle.fileno() > 2\n"
    code += (
        "with steady_streams():\n    print('out')\n    print('err', file=sys.stderr)\n    os.write(2, b'raw')\n"
    )
    done = shell(code + "handle.write('data')", redirected)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a").read_text() == "data"


def test_a_pipe_that_nobody_reads_any_more():
    code = "with steady_streams():\n    for i in range(99999):\n        print(i)\nopen(sys.argv[0] + 'x')"
    code = code.replace("open(sys.argv[0] + 'x')", "sys.stderr.write('whole')")
    done = shell(code, "| head -1; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "whole")


class Full(io.StringIO):
    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_on_a_full_disk(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Full())
    before = sys.stderr
    with steady_streams():
        print("a", file=sys.stderr)
        print("b", file=sys.stderr)
    assert sys.stderr is before
