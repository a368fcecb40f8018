"""Downloads from servers that behave, and from others."""

import hashlib
import os
import random
import subprocess
import sys

import pytest
from server import Serving, serving

from zoomvqa.download import download
from zoomvqa.errors import CheckpointError, ToolError

CONTENT = random.Random(0).randbytes(700_000)


@pytest.fixture
def served():
    with serving() as state:
        state.files["/a.pth"] = CONTENT
        yield state


def fetch(served: Serving, target, **options) -> None:
    download(f"{served.address}/a.pth", target, **({"stall_s": 0.5, "pause_s": 0.01} | options))


def test_whole(served, tmp_path):
    fetch(served, tmp_path / "a.pth", sha256=hashlib.sha256(CONTENT).hexdigest())
    assert (tmp_path / "a.pth").read_bytes() == CONTENT
    assert {p.name for p in tmp_path.iterdir()} == {"a.pth", "a.pth.sha256"}
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "a.pth.sha256").read_text() == f"{digest}  a.pth\n"


@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_a_broken_connection_is_gone_on_with(served, tmp_path, fault):
    served.faults = [fault, fault, "busy"]
    fetch(served, tmp_path / "a.pth")
    assert (tmp_path / "a.pth").read_bytes() == CONTENT
    half, more = len(CONTENT) // 2, len(CONTENT) - len(CONTENT) // 4
    assert [r for _, r in served.asked] == [None, f"bytes={half}-", f"bytes={more}-", f"bytes={more}-"]


def test_a_later_run_goes_on(served, tmp_path):
    served.faults = ["cut"] + ["busy"] * 4
    with pytest.raises(ToolError, match=r"HTTP 503; 350000 bytes are kept for the next try"):
        fetch(served, tmp_path / "a.pth")
    assert not (tmp_path / "a.pth").exists()
    fetch(served, tmp_path / "a.pth")
    assert served.asked[-1][1] == "bytes=350000-"
    assert (tmp_path / "a.pth").read_bytes() == CONTENT


def test_a_server_that_cannot_resume_starts_again(served, tmp_path):
    served.faults = ["cut", "whole"]
    fetch(served, tmp_path / "a.pth")
    assert (tmp_path / "a.pth").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_not_joined(served, tmp_path):
    served.faults = ["cut", "changed"]
    fetch(served, tmp_path / "a.pth")
    assert (tmp_path / "a.pth").read_bytes() == CONTENT


def test_a_part_that_was_whole_already(served, tmp_path):
    served.faults = ["cut"] + ["busy"] * 4
    with pytest.raises(ToolError):
        fetch(served, tmp_path / "a.pth")
    (tmp_path / "a.pth.part").write_bytes(CONTENT)
    asked = len(served.asked)
    fetch(served, tmp_path / "a.pth")
    assert len(served.asked) == asked
    assert (tmp_path / "a.pth").read_bytes() == CONTENT


def test_a_length_that_never_comes(served, tmp_path):
    served.faults = ["long"] * 20
    with pytest.raises(ToolError, match="the connection ended"):
        fetch(served, tmp_path / "a.pth")
    assert not (tmp_path / "a.pth").exists()


def test_a_web_page(served, tmp_path):
    served.faults = ["html"]
    with pytest.raises(ToolError, match="gives a web page, not the file"):
        fetch(served, tmp_path / "a.pth")
    assert list(tmp_path.iterdir()) == []


def test_not_there(served, tmp_path):
    with pytest.raises(ToolError, match=r"b.pth cannot be had \(HTTP 404\)"):
        download(f"{served.address}/b.pth", tmp_path / "b.pth")


def test_nobody_answers(tmp_path):
    with pytest.raises(ToolError, match="could not be downloaded .*refused"):
        download("http://127.0.0.1:9/a.pth", tmp_path / "a.pth", pause_s=0.001)
    with pytest.raises(ToolError, match="no http address"):
        download("file:///etc/passwd", tmp_path / "a.pth")


def test_another_file(served, tmp_path):
    with pytest.raises(ToolError, match="its checksum differs"):
        fetch(served, tmp_path / "a.pth", sha256="0" * 64)

    def look(path):
        raise CheckpointError("no checkpoint")

    with pytest.raises(ToolError, match="something else than it should: no checkpoint"):
        fetch(served, tmp_path / "a.pth", look=look)
    assert list(tmp_path.iterdir()) == []


def test_without_a_mark_of_the_file_nothing_is_joined(served, tmp_path):
    """Another file of the same length may stand there by now."""
    served.marks = {}
    served.faults = ["cut"]
    fetch(served, tmp_path / "a.pth")
    assert [r for _, r in served.asked] == [None, None]
    served.marks = {"Last-Modified": "Mon, 20 Jul 2026 00:00:00 GMT"}
    served.faults = ["cut"]
    fetch(served, tmp_path / "b.pth")
    assert served.asked[-1][1] == "bytes=350000-"
    assert (tmp_path / "b.pth").read_bytes() == CONTENT


def test_a_server_that_answers_with_another_part(served, tmp_path):
    served.faults = ["cut", "shifted"]
    fetch(served, tmp_path / "a.pth")
    assert (tmp_path / "a.pth").read_bytes() == CONTENT
    assert [r for _, r in served.asked] == [None, "bytes=350000-", None]


@pytest.mark.slow
def test_the_hubs_attempts_are_not_told(tmp_path):
    """What it says of them, before it is imported and after; whoever asks for it hears it."""
    code = """
import sys
if sys.argv[1] == "after":
    import huggingface_hub
from zoomvqa.download import quiet_hub
quiet_hub()
import huggingface_hub, logging
from huggingface_hub.utils import logging as theirs
theirs.get_logger("huggingface_hub.utils._http").warning("Retrying in 1s")
"""
    for when, verbosity in (("before", None), ("after", None), ("before", "warning")):
        environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_VERBOSITY"}
        environment |= {} if verbosity is None else {"HF_HUB_VERBOSITY": verbosity}
        done = subprocess.run(
            [sys.executable, "-c", code, when], env=environment, capture_output=True, text=True, check=True
        )
        assert ("Retrying" in done.stderr) == (verbosity is not None)
