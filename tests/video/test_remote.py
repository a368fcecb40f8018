"""Videos at addresses."""

import tempfile
import time
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import known_implementations
from server import Serving, serving

from zoomvqa.errors import VideoError
from zoomvqa.video import remote
from zoomvqa.video.remote import local_copy

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def server():
    with serving() as state:
        state.files["/a/Video.MP4"] = CONTENT
        yield state


def failure(location: str, stall_s: float = 5.0) -> str:
    with pytest.raises(VideoError) as error, local_copy(location, stall_s=stall_s, pause_s=0.01):
        pass
    return str(error.value)


def test_a_copy_is_there_while_it_is_open(server: Serving, folder):
    with local_copy(f"{server.address}/a/Video.MP4") as path:
        assert path.suffix == ".mp4"
        assert path.read_bytes() == CONTENT
        assert path.is_relative_to(folder)
    assert list(folder.iterdir()) == []


def test_a_copy_goes_when_its_use_fails(server: Serving, folder):
    with pytest.raises(RuntimeError), local_copy(f"{server.address}/a/Video.MP4"):
        raise RuntimeError
    assert list(folder.iterdir()) == []


def test_an_object_in_a_store(folder):
    with fsspec.open("memory://bucket/name.with.dots?.weird ending", "wb") as out:
        out.write(CONTENT)
    with local_copy("memory://bucket/name.with.dots?.weird ending") as path:
        assert path.read_bytes() == CONTENT
        assert path.suffix == ".dots"


def test_a_file_of_this_machine_is_not_copied(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    with local_copy(path.as_uri()) as found:
        assert found == path
    assert path.exists()
    assert failure("file:///no/such.mp4") == "it could not be fetched: there is no such file"


def test_what_passes_is_tried_again(server: Serving):
    for fault in ("cut", "busy", "long", "stall"):
        server.faults, server.asked = [fault, fault], []
        with local_copy(f"{server.address}/a/Video.MP4", stall_s=0.5, pause_s=0.01) as path:
            assert path.read_bytes() == CONTENT
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("cut", "the transfer ended early"),
        ("long", "the transfer ended early"),
        ("busy", "the server answers 503"),
        ("stall", "nothing came for 0.5 seconds"),
    ],
)
def test_what_does_not_pass(server: Serving, folder, fault, reason):
    server.faults = [fault] * 3
    begin = time.monotonic()
    assert failure(f"{server.address}/a/Video.MP4", 0.5) == f"it could not be fetched: {reason}"
    assert time.monotonic() - begin < 10
    assert len(server.asked) == 3
    assert list(folder.iterdir()) == []


def test_what_is_not_there_is_asked_for_once(server: Serving):
    assert failure(f"{server.address}/none.mp4") == "it could not be fetched: there is no such file"
    assert {path for path, _ in server.asked} == {"/none.mp4"}
    assert len(server.asked) <= 2  # fsspec asks again, whether it is there
    assert failure("memory://bucket/none.mp4") == "it could not be fetched: there is no such file"


def test_a_folder_is_no_video(folder):
    fsspec.filesystem("memory").makedirs("/some_folder", exist_ok=True)
    assert failure("memory://some_folder") == "it could not be fetched: the address is a folder"


def test_no_password_is_told(server: Serving):
    port = server.address.rpartition(":")[2]
    for location in (
        f"http://me:secret@127.0.0.1:{port}/none.mp4?token=secret",
        "http://me:secret@127.0.0.1:1/a.mp4",
        "http://me:secret@/a.mp4",
        "s3://me:secret@bucket/a.mp4",
        "secret://me:secret@bucket/a.mp4",
    ):
        assert "secret@" not in failure(location)
        assert "=secret" not in failure(location)


def test_a_server_that_is_not_there():
    assert failure("http://127.0.0.1:1/a.mp4") == (
        "it could not be fetched: the server cannot be reached, or hung up"
    )


def test_a_package_that_is_not_there(monkeypatch):
    known = {"class": "nosuchpackage.NoFileSystem", "err": "Install s3fs to access S3"}
    monkeypatch.setitem(known_implementations, "s3", known)
    assert failure("s3://bucket/a.mp4") == "s3:// needs a package that is not here (Install s3fs to access S3)"


def test_a_scheme_that_nothing_knows():
    assert failure("memry://a.mp4") == (
        "no address that can be fetched: memry:// is not known (did you mean 'memory'?)"
    )


def test_a_full_disk(monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MemoryFileSystem, "get_file", full)
    assert failure("memory://bucket/a.mp4") == "it could not be fetched: there is no space for the copy"


def test_there_is_no_limit_to_a_whole_transfer(server: Serving):
    system, _ = remote._opened(f"{server.address}/a/Video.MP4", 7.0)
    limit = system.client_kwargs["timeout"]
    assert (limit.total, limit.sock_connect) == (None, 7.0)
