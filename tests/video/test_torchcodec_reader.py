"""torchcodec behind the same interface; what it does is tried where it and FFmpeg's libraries are there."""

import builtins
import sys
from types import ModuleType

import numpy as np
import pytest
from conftest import Make, ffmpeg
from truth import decoded, decoded_bytes

from zoomvqa.errors import DamagedError, ToolError, VideoError
from zoomvqa.video.reader import Video, check_reader
from zoomvqa.video.torchcodec_reader import torchcodec_decoder

X265 = ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=10:open-gop=1:bframes=3", "-pix_fmt", "yuv420p")
VPX = ("-deadline", "realtime", "-cpu-used", "8")
CASES = {
    "h264.mp4": (),
    "open_gop.mp4": X265,
    "ten_bit.mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
    "a.webm": ("-c:v", "libvpx-vp9", *VPX),
    "a.mkv": ("-c:v", "ffv1"),
    "loop.gif": ("-f", "gif"),
}


@pytest.fixture
def works() -> None:
    """Skips where torchcodec cannot work."""
    try:
        torchcodec_decoder()
    except ToolError as error:
        pytest.skip(str(error))


def video(make_video: Make, name: str):
    codec = {"codec": CASES[name]} if CASES.get(name) else {}
    return make_video(name if name == "loop.gif" else f"torchcodec_{name}", frames=30, **codec)


@pytest.mark.usefixtures("works")
@pytest.mark.parametrize("name", CASES)
def test_frames_are_ffmpegs(make_video: Make, name):
    path = video(make_video, name)
    truth = decoded(path, 96, 160)
    opened = Video(path, "torchcodec")
    assert (opened.reader, len(opened)) == ("torchcodec", len(truth))
    np.testing.assert_array_equal(list(opened.frames(range(30))), truth)
    np.testing.assert_array_equal(list(opened.frames([2, 7, 7, 29])), truth[[2, 7, 7, 29]])


@pytest.mark.usefixtures("works")
def test_edit_list_rotation_and_several_streams(make_video: Make, tmp_path):
    whole = make_video("whole.mp4", "-g", "60", frames=60)
    ffmpeg("-ss", "1.0", "-i", whole, "-c", "copy", tmp_path / "cut.mp4")
    ffmpeg("-display_rotation", "90", "-i", whole, "-c", "copy", tmp_path / "turned.mp4")
    small = make_video("small.mp4", size="96x64", frames=12)
    ffmpeg("-i", small, "-i", whole, "-map", "0", "-map", "1", "-c", "copy", tmp_path / "two.mp4")
    for name in ("cut.mp4", "turned.mp4", "two.mp4"):
        frames = list((opened := Video(tmp_path / name, "torchcodec")).frames(range(len(opened))))
        assert b"".join(frame.tobytes() for frame in frames) == decoded_bytes(tmp_path / name)


@pytest.mark.usefixtures("works")
def test_what_it_misreads_is_refused(make_video: Make, tmp_path):
    mpeg2, h264 = ("-c:v", "mpeg2video", "-bf", "2"), make_video("torchcodec_h264.mp4", frames=30)
    ffmpeg("-display_hflip", "-i", h264, "-c", "copy", tmp_path / "mirrored.mp4")
    equal = "setts=pts=floor(PTS/1024)*1024:dts=DTS"
    b_frames = make_video("torchcodec_b.mp4", "-bf", "2", frames=24, codec=("-c:v", "libx264"))
    ffmpeg("-i", b_frames, "-c", "copy", "-bsf:v", equal, tmp_path / "equal.mkv")
    refused = {
        make_video("torchcodec.ts", codec=mpeg2): "the container mpegts",
        make_video("torchcodec.mpg", codec=mpeg2): "the container mpeg",
        make_video("torchcodec.avi", codec=("-c:v", "mpeg4", "-bf", "2")): "the container avi",
        tmp_path / "equal.mkv": "frames without a time of their own",
        tmp_path / "mirrored.mp4": "mirrored pictures",
    }
    for path, what in refused.items():
        with pytest.raises(VideoError, match=f"torchcodec does not read {what} correctly; use reader=auto"):
            next(Video(path, "torchcodec").frames([0]))
    data = h264.read_bytes()
    (tmp_path / "text.mp4").write_text("nothing")
    with pytest.raises(VideoError, match="not a readable video"):
        Video(tmp_path / "text.mp4", "torchcodec")
    mdat = data.index(b"mdat")
    (tmp_path / "hole.mp4").write_bytes(
        data[: mdat + 4] + bytes(len(data) // 2) + data[mdat + 4 + len(data) // 2 :]
    )
    with pytest.raises(VideoError) as said:
        list(Video(tmp_path / "hole.mp4", "torchcodec").frames(range(30)))
    assert not isinstance(said.value, DamagedError)
    assert "torchcodec/" not in str(said.value)


def test_auto_never_picks_it(make_video: Make):
    assert Video(video(make_video, "h264.mp4")).reader == "decord"


def test_the_package_is_missing(make_video: Make, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("torchcodec"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for open_it in (
        lambda: check_reader("torchcodec"),
        lambda: Video(video(make_video, "h264.mp4"), "torchcodec"),
    ):
        with pytest.raises(
            ToolError, match=r"reader=torchcodec needs a package: pip install 'zoomvqa\[torchcodec\]'"
        ):
            open_it()
    check_reader("auto")


def test_the_libraries_are_missing(monkeypatch):
    class Broken(ModuleType):
        def __getattr__(self, name):
            raise RuntimeError("Could not load libtorchcodec.\nLikely causes: ...")

    message = "finds no FFmpeg libraries .4 to 9. on this system.*: apt-get install ffmpeg, conda"
    decoders = ModuleType("torchcodec.decoders")
    decoders.VideoDecoder = object
    silent = ModuleType("torchcodec")
    silent.ffmpeg_major_version = None
    for package, part in ((silent, decoders), (ModuleType("torchcodec"), Broken("torchcodec.decoders"))):
        monkeypatch.setitem(sys.modules, "torchcodec", package)
        monkeypatch.setitem(sys.modules, "torchcodec.decoders", part)
        with pytest.raises(ToolError, match=message):
            check_reader("torchcodec")
