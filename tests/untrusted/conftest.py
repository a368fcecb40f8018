"""What a stranger sends, and proofs that it did nothing."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Make


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a server on this machine that nobody may ask for anything."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                asked.append(line)
                line.close()

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    assert asked == []


class LateError(BaseException):
    """Nothing takes it for an error of the work."""


@contextmanager
def in_time(seconds: int = 60) -> Iterator[None]:
    """Fail where a block waits for what never comes."""

    def late(*_: object) -> None:
        raise LateError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def work(tmp_path, monkeypatch, make_video: Make) -> Iterator[Path]:
    """The working folder, with a sound video and one outside; nothing may be made in it, or above it."""
    root = tmp_path / "work"
    root.mkdir()
    monkeypatch.chdir(root)
    data = make_video("untrusted.mp4", frames=12).read_bytes()
    (root / "good.mp4").write_bytes(data)
    (tmp_path / "outside.mp4").write_bytes(data)
    yield root
    left = {path for path in tree(tmp_path) if not Path(path).name.startswith(("t.", "list."))}
    assert left <= {"work", "work/good.mp4", "outside.mp4", "cache"}


def hostile(address: str, root: Path) -> list[str]:
    """Names that no video here has."""
    return [
        *("../../etc/passwd", "../outside.mp4", "../outside", "/etc/passwd", str(root.parent / "outside.mp4")),
        *(f"http://{address}/a.mp4", f"https://{address}/a.mp4", f"tcp://{address}", f"rtmp://{address}/a"),
        *(f"s3://{address}/a.mp4", f"ftp://{address}/a.mp4", f"hls+http://{address}/a.m3u8", f"rtp://{address}"),
        *("file:///etc/passwd", "file:/etc/passwd", "concat:/etc/passwd|/etc/passwd", "pipe:0", "-", "fd:0"),
        *("subfile,,start,0,end,0,,:/etc/passwd", "crypto:/etc/passwd", "data:text/plain;base64,QQ=="),
        *("async:/etc/passwd", "cache:/etc/passwd", "unix:/tmp/x", "tee:x", "lavfi:testsrc2", "glob:*.mp4"),
        *("; touch pwned", "$(touch pwned).mp4", "`touch pwned`", "| touch pwned", "&& touch pwned", "> pwned"),
        *("--help", "-i", "-y", "-rf", "%s%n", "%(x)s", "{0.__class__}", "${oc.env:HOME}", "~root/x", "~nobody.x"),
        *("\x1b]0;pwned\x07", "a\u202e4pm.exe", "x" * 10_000, "x/" * 5_000, "/" * 10_000, "..", ".", "/"),
        *("COM1", "NUL", "C:\\Windows\\win.ini", "\\\\server\\share\\a.mp4", "\udcff\udcfe.mp4", "*", "[a-z]*"),
    ]
