"""Videos made for the tests, by the ffmpeg program of a package; nothing is downloaded."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

# Side by side, processes that each compute on every core mostly wait for each other. Read when torch is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

Make = Callable[..., Path]
# Quick to encode.
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; a test that cannot make its input fails."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-nostdin", *map(str, arguments)]
    subprocess.run(command, check=True)


@pytest.fixture(scope="session")
def make_video(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A function that encodes a test picture and remembers it: `make_video("a.mp4", size="64x48", frames=30)`."""
    folder = tmp_path_factory.mktemp("videos")

    def make(
        name: str,
        *options: str,
        size: str = "160x96",
        rate: str = "25",
        frames: int = 30,
        picture: str = "testsrc2",
        codec: tuple[str, ...] = H264,
        inputs: tuple[str, ...] = (),
    ) -> Path:
        path = folder / name
        if not path.exists():
            source = ("-f", "lavfi", "-i", f"{picture}=size={size}:rate={rate}")
            work = path.with_name(f"part.{os.getpid()}.{name}")
            ffmpeg(*source, *inputs, *options, "-frames:v", str(frames), *codec, work)
            work.replace(path)
        return path

    return make


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference numbers and real videos, where the environment names it."""
    folder = os.environ.get("ZOOMVQA_REFERENCE")
    if not folder:
        pytest.skip("ZOOMVQA_REFERENCE does not name the folder of reference numbers")
    return Path(folder)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a cache folder of its own."""
    monkeypatch.setenv("ZOOMVQA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What of a Video Swin is in C++, built where nothing is left behind."""
    from zoomvqa.models.vqa.compiled import build_attention

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOOMVQA_CACHE", str(tmp_path_factory.mktemp("built")))
        build_attention()
