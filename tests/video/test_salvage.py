"""Damaged files: what is kept must be what ffmpeg decodes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from conftest import H264, Make, ffmpeg
from truth import decoded

from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.video.container import open_container
from zoomvqa.video.reader import Video
from zoomvqa.video.salvage import salvage

X264 = (*H264, "-g", "10")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "10")
CODECS = {
    "mp4": (*X264, "-movflags", "+faststart"),
    "fragments.mp4": (*X264, "-movflags", "+frag_keyframe+empty_moov"),
    "mkv": X264,
    "webm": VP9,
    "ts": ("-c:v", "mpeg2video", "-q:v", "3", "-g", "10"),
    "avi": ("-c:v", "mpeg4", "-q:v", "3", "-g", "10", "-bf", "2"),
    "flv": X264,
}


def damaged(make_video: Make, folder: Path, ending: str, share: float) -> Path:
    """Write a file of 60 frames that is cut off at a share of its bytes."""
    data = make_video(f"sixty.{ending}", frames=60, codec=CODECS[ending]).read_bytes()
    path = folder / f"damaged.{ending}"
    path.write_bytes(data[: int(len(data) * share)])
    return path


def check_frames(path: Path, store) -> int:
    """Every frame kept is the next of ffmpeg's that is equal to it; return how many ffmpeg has."""
    # With several threads ffmpeg makes up lost parts in another way each time.
    truth = decoded(path, 96, 160, "-threads", "1", strict=False)
    frames, at = list(store.frames(range(len(store.timeline)))), 0
    for frame in frames:
        while not np.array_equal(frame, truth[at]):
            at += 1
        at += 1
    few = sorted({0, len(frames) // 2, len(frames) - 1})
    for index, alone in zip(few, store.frames(few), strict=True):
        np.testing.assert_array_equal(alone, frames[index])
    return len(truth)


@pytest.mark.parametrize("share", [0.55, 0.9])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm", "avi", "flv", "fragments.mp4"])
def test_cut_short(make_video: Make, tmp_path, ending, share):
    path = damaged(make_video, tmp_path, ending, share)
    with pytest.raises(DamagedError, match=r"damaged or cut short: \d+ frames before"):
        Video(path)
    store = salvage(path, 0.3)
    theirs = check_frames(path, store)
    assert 0 <= theirs - len(store) <= 1  # the last one of theirs may be made up in part
    if ending == "fragments.mp4":  # which promise nothing beyond what is there
        assert len(store) < len(Video(make_video(f"sixty.{ending}")))
        assert store.damage.startswith(f"damaged: {len(store)} of ")
    else:
        assert store.damage == f"damaged: {len(store)} of 60 frames decode"
        with pytest.raises(VideoError, match=rf"{len(store)} of 60 frames decode \(\d+.\d%\), at least 95.0% are"):
            salvage(path, 0.95)
    assert (store.reader, store.timeline.width) == ("pyav", 160)
    assert store.timeline.seconds(len(store) - 1) == pytest.approx((len(store) - 1) / 25, abs=0.1)


def test_a_transport_stream_promises_nothing(make_video: Make, tmp_path):
    path = damaged(make_video, tmp_path, "ts", 0.55)
    video = Video(path)
    np.testing.assert_array_equal(list(video.frames(range(len(video)))), decoded(path, 96, 160, strict=False))


@pytest.mark.parametrize("ending", ["mp4", "ts"])
def test_a_hole_in_the_middle(make_video: Make, tmp_path, ending):
    path = damaged(make_video, tmp_path, ending, 1.0)
    with open_container(path) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[places[30] : places[34]] = bytes(places[34] - places[30])
    path.write_bytes(data)
    with pytest.raises(DamagedError):
        list(Video(path).frames(range(60)))
    if ending == "mp4":  # where the hole is seen by decoding: frames before it are read
        assert len(list(Video(path, "pyav").frames([0, 25]))) == 2
    store = salvage(path, 0.3)
    assert 50 < len(store) < 60
    assert store.damage.startswith(f"damaged: {len(store)} of ")
    check_frames(path, store)
    assert store.timeline.seconds(len(store) - 1) == pytest.approx(59 / 25, abs=0.05)  # what is lost leaves a gap


def test_a_recording_that_begins_within_a_group_of_pictures(make_video: Make, tmp_path):
    codec = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "keyint=20:scenecut=0")
    data = make_video("groups.ts", frames=60, codec=codec).read_bytes()
    path = tmp_path / "begun.ts"
    path.write_bytes(data[: 3 * 188] + data[len(data) // 3 // 188 * 188 :])
    store = salvage(path, 0.3)
    assert check_frames(path, store) == len(store) == len(Video(path)) < 40
    assert store.damage == ""


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm", "avi"])
def test_nothing_decodes(make_video: Make, tmp_path, ending):
    path = damaged(make_video, tmp_path, ending, 0.03)
    for opened in (lambda: Video(path), lambda: salvage(path, 0.01)):
        with pytest.raises(VideoError, match="not a readable video|no frame|0 of 60 frames|0 frames before"):
            opened()


def test_times_that_cannot_be(make_video: Make, tmp_path):
    path = tmp_path / "times.mkv"
    jump = r"setts=ts=if(gte(N\,30)\,TS+4000/TB\,TS)"
    ffmpeg("-i", make_video("sixty.mp4", frames=60, codec=CODECS["mp4"]), "-c", "copy", "-bsf:v", jump, path)
    with pytest.raises(DamagedError, match="a frame stays for more than an hour"):
        Video(path)
    store = salvage(path, 1.0)
    assert (len(store), store.timeline.seconds(0)) == (60, 0.0)
    assert store.timeline.seconds(59) == pytest.approx(59 / 25, abs=0.1)


def test_sound_files_and_what_is_no_video(make_video: Make, tmp_path):
    path = make_video("sixty.mp4", frames=60, codec=CODECS["mp4"])
    store = salvage(path, 1.0)
    assert len(store) == 60
    check_frames(path, store)
    with pytest.raises(VideoError, match="not a readable video"):
        salvage(tmp_path / "none.mp4", 0.5)
    for share in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            salvage(path, share)
    for indices in ([], [3, 1], [-1], [60]):
        with pytest.raises(ValueError, match="sorted and within 0..59"):
            next(store.frames(indices))


def test_no_picture_is_kept(make_video: Make, tmp_path):
    path = damaged(make_video, tmp_path, "mp4", 0.9)
    tracemalloc.start()
    salvage(path, 0.3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 160 * 96 * 3


def test_a_file_that_changes_after_it_was_looked_at(make_video: Make, tmp_path):
    path = damaged(make_video, tmp_path, "mp4", 0.9)
    store = salvage(path, 0.3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoError, match="does not decode any more"):
        list(store.frames([0, len(store) - 1]))
    path.unlink()
    with pytest.raises(VideoError, match="cannot be read any further"):
        list(store.frames([0]))
