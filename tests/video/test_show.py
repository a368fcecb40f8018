"""HDR, non-square pixels and interlaced frames: told, and changed only where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import H264, Make
from truth import decoded

from zoomvqa.errors import VideoError
from zoomvqa.video.reader import Video
from zoomvqa.video.salvage import salvage
from zoomvqa.video.show import Show

FIELDS = ("-vf", "interlace=scan=tff", "-flags", "+ildct+ilme")
HDR = "log-level=none:colorprim=bt2020:transfer={}:colormatrix=bt2020nc"
RAMP = "geq=lum='X*255/W':cb=128:cr=128"
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params")


def hdr(make_video: Make, transfer: str):
    return make_video(f"{transfer}.mp4", "-vf", RAMP, frames=4, codec=(*X265, HDR.format(transfer)))


@pytest.mark.parametrize(
    ("name", "options", "codec", "rate"),
    [
        ("h264.mp4", (), H264, "50"),
        ("h264.ts", (), H264, "50"),
        ("mpeg2.mpg", (), ("-c:v", "mpeg2video", "-q:v", "3"), "50"),
        ("prores.mov", (), ("-c:v", "prores_ks"), "50"),
    ],
)
def test_interlaced(make_video: Make, name, options, codec, rate):
    path = make_video(f"fields_{name}", *FIELDS, frames=12, codec=codec, rate=rate)
    as_is = Video(path)
    truth = decoded(path, 96, 160)
    np.testing.assert_array_equal(list(as_is.frames([0, 5, 11])), truth[[0, 5, 11]])
    assert (as_is.note, as_is.reader) == ("interlaced, not deinterlaced", "pyav")
    video = Video(path, show=Show(interlaced="deinterlace"))
    frames = list(video.frames(range(12)))
    assert (video.note, video.reader, len(frames)) == ("interlaced, deinterlaced", "pyav", 12)
    theirs = decoded(path, 96, 160, filters="bwdif=mode=send_frame:deint=interlaced")
    assert (frames != theirs).mean() < 0.01  # versions of FFmpeg differ at the edges of the first frames
    assert combing(frames[5]) < 0.8 * combing(truth[5])
    np.testing.assert_array_equal(next(video.frames([7])), frames[7])
    again = salvage(path, 0.5, Show(interlaced="deinterlace"))
    np.testing.assert_array_equal(list(again.frames([3, 7])), [frames[3], frames[7]])
    assert again.note == "interlaced, deinterlaced"


def combing(frame: np.ndarray) -> float:
    """How much neighbouring rows differ more than those of one field."""
    rows = frame.astype(float)
    near, field = np.abs(np.diff(rows, axis=0)).mean(), np.abs(rows[2:] - rows[:-2]).mean()
    return max(0.0, near - field / 2)


def test_progressive_frames_are_left_alone(make_video: Make):
    path = make_video("progressive.mp4", frames=6, codec=H264)
    video = Video(path, show=Show(interlaced="deinterlace", hdr="tonemap", pixels="square"))
    np.testing.assert_array_equal(list(video.frames(range(6))), decoded(path, 96, 160))
    assert (video.note, video.reader) == ("", "pyav")
    video = Video(path, show=Show(hdr="tonemap", pixels="square"))
    np.testing.assert_array_equal(list(video.frames(range(6))), decoded(path, 96, 160))
    assert (video.note, video.reader) == ("", "decord")


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_hdr(make_video: Make, transfer, name):
    path = hdr(make_video, transfer)
    as_is, mapped = Video(path), Video(path, show=Show(hdr="tonemap"))
    assert as_is.note == f"HDR ({name}), not tone mapped"
    assert mapped.note == f"HDR ({name}), tone mapped"
    truth = decoded(path, 96, 160)
    np.testing.assert_array_equal(list(as_is.frames([2])), truth[[2]])
    frame = next(mapped.frames([2])).astype(int)
    assert np.abs(frame - truth[2]).mean() > 5
    row = frame[48]
    assert np.ptp(row, axis=1).max() < 6  # grey stays grey
    assert (np.diff(row.mean(axis=1)) > -2).all()  # brighter stays brighter
    assert row[-1].mean() > 200


@pytest.mark.parametrize(("aspect", "width"), [("64/45", 228), ("10/11", 145), ("1/1", 160), ("100/1", 160)])
def test_pixels(make_video: Make, aspect, width):
    path = make_video(f"sar_{aspect.replace('/', '_')}.mp4", "-vf", f"setsar={aspect}", frames=4, codec=H264)
    as_is, square = Video(path), Video(path, show=Show(pixels="square"))
    shape = aspect.replace("/", ":")
    told = width != 160
    assert as_is.note == (f"pixels {shape}, not made square" if told else "")
    assert square.note == (f"pixels {shape}, made square" if told else "")
    assert next(as_is.frames([1])).shape == (96, 160, 3)
    assert next(square.frames([1])).shape == (96, width, 3)


def test_another_reader_cannot_change_pictures(make_video: Make):
    path = make_video("sar_64_45.mp4", "-vf", "setsar=64/45", frames=4, codec=H264)
    Video(path, "decord")
    with pytest.raises(VideoError, match="decord is not known to read pictures that are to be changed right"):
        Video(path, "decord", Show(pixels="square"))
