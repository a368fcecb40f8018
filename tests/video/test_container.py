"""What a container promises, and which of its streams is the video."""

from types import SimpleNamespace

import pytest
from av.stream import Disposition
from conftest import Make

from zoomvqa.errors import VideoError
from zoomvqa.video.container import (
    header_of,
    main_video,
    open_container,
    packets_of,
    promised_end,
    promised_packets,
)


def stream(width=64, height=64, frames=0, disposition=0, codec=True):
    size = SimpleNamespace(width=width, height=height) if codec else None
    return SimpleNamespace(
        type="video", frames=frames, disposition=Disposition(disposition), codec_context=size, width=width
    )


def choose(*streams):
    return main_video(SimpleNamespace(streams=type("Streams", (list,), {"video": streams})(streams)))


def test_the_choice_of_a_stream():
    small, large, huge = stream(), stream(640, 480), stream(4096, 2160)
    marked = stream(disposition=Disposition.default.value)
    assert choose(small, large) is large
    assert choose(large, marked) is marked
    assert choose(huge, marked) is huge  # as ffmpeg weighs them
    assert choose(small, same := stream()) is small is not same
    assert choose(stream(640, 480, frames=1), marked_not := stream(frames=30)) is marked_not
    assert choose(only := stream(frames=1)) is only
    assert choose(stream(codec=False), small) is small


def test_tiles_and_covers_are_no_video():
    tile, cover = (stream(disposition=d.value) for d in (Disposition.dependent, Disposition.attached_pic))
    with pytest.raises(VideoError, match="no video stream in it, only a still picture"):
        choose(tile, tile, cover)
    assert choose(tile, cover, video := stream()) is video


def test_streams_that_appear_midway_end_no_reading():
    def stumbling(_stream):
        yield SimpleNamespace(size=3)
        yield SimpleNamespace(size=0)
        raise IndexError("list index out of range")

    assert [p.size for p in packets_of(SimpleNamespace(demux=stumbling), None)] == [3]


def test_a_codec_that_nobody_knows():
    with pytest.raises(VideoError, match="the codec of its video is not known"):
        choose(stream(codec=False))


def test_promises(make_video: Make):
    vp9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    for name, codec in (("p.mp4", None), ("p.webm", vp9), ("p.avi", ("-c:v", "mpeg4")), ("p.flv", None)):
        path = make_video(f"promise_{name}", frames=30, **({"codec": codec} if codec else {}))
        with open_container(path) as container:
            video = main_video(container)
            header = header_of(container, video)
            assert promised_packets(container, video, header, 31, 31 / 25) == 31
            end = promised_end(container, video, header, 0.0).end
            assert end == pytest.approx(1.2 if name in {"p.webm", "p.avi"} else 0.0, abs=0.01)
            if name != "p.flv":  # whose length is that of the whole file, and it is there
                assert promised_packets(container, video, header, 12, 12 / 25) == 30
                assert promised_packets(container, video, header, 0, 0.0) == 30
