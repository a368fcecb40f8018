"""Joined recordings: continuous times, and the frames that ffmpeg chooses of them."""

from fractions import Fraction

import pytest
from decoded_timeline import decoded_timeline
from matrix import run
from rate_files import written

from zoomvqa.video.discontinuity import Continuous, Stored
from zoomvqa.video.rate import frames_at_rate

BASE = Fraction(1, 1000)
SECONDS = 1.6
# Where each part begins in the picture, and in its own times.
PARTS = {"a": (0, 0), "b": (2, 0), "far": (4, 40), "soon": (6, 3)}
MPEG2, H264 = (
    ("-c:v", "mpeg2video", "-q:v", "6", "-bf", "2"),
    ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"),
)
SOUND = ("-f", "lavfi", "-i", "sine=sample_rate=44100", "-ac", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("joined")


@pytest.mark.parametrize("rate", ["25", "30000/1001"])
@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize(("codec", "ending"), [("mpeg2", "mpg"), ("mpeg2", "ts"), ("h264", "ts")])
def test_joined_recordings_as_ffmpeg(folder, codec, ending, sound, rate):
    parts = {}
    for name, (begin, start) in PARTS.items():
        path = folder / f"{name}.{codec}.{sound}.{rate[:2]}.{ending}"
        cut = f"trim=start={begin}:duration={SECONDS},setpts=PTS-STARTPTS"
        encoder = ("-vf", cut, *(MPEG2 if codec == "mpeg2" else H264), "-pix_fmt", "yuv420p", "-t", str(SECONDS))
        picture = ("-f", "lavfi", "-i", f"testsrc2=size=128x96:rate={rate}", *(SOUND if sound else ()))
        run(*picture, *encoder, "-output_ts_offset", str(start), path)
        parts[name] = path.read_bytes()
    for order in ("a b", "a b far", "far a", "a soon b"):
        path = folder / f"{order}.{codec}.{sound}.{rate[:2]}.{ending}"
        path.write_bytes(b"".join(parts[name] for name in order.split()))
        assert written(path).unlike(decoded_timeline(path)) == {}, order


def test_the_start_of_two_recordings(folder):
    whole = folder / "whole.mpg"
    run("-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25", "-frames:v", "50", *MPEG2, whole)
    path = folder / "twice.mpg"
    path.write_bytes(whole.read_bytes() * 2)
    assert frames_at_rate(decoded_timeline(path), 2.0) == [0, 1, 11, 23, 36, 48, 61, 73, 86, 98]


def stored(*times: int | None, length: int = 40) -> list[Stored]:
    return [Stored(time, None if time is None else time + 80, length) for time in times]


def moved(packets: list[Stored], **more: object) -> list[int]:
    moved_by = Continuous(BASE, **more)
    return [moved_by(packet) for packet in packets]


def dts(packets: list[Stored], **more: object) -> list[int | None]:
    by = moved(packets, **more)
    return [None if p.dts is None else p.dts + each for p, each in zip(packets, by, strict=True)]


def test_continuous_times_stay():
    assert moved(stored(-80, -40, 0, 40, None, 120)) == [0] * 6


def test_times_that_start_again_go_on():
    assert dts(stored(0, 40, 80, 120, 0, 40, 80)) == [0, 40, 80, 120, 160, 200, 240]
    assert moved(stored(0, 40, 200, 0)) == [0, 0, 0, 240]


def test_a_small_step_back_and_a_gap_stay():
    assert dts(stored(0, 40, 140, 41)) == [0, 40, 140, 41]
    assert dts(stored(0, 40, 9_000)) == [0, 40, 9_000]


def test_a_long_jump_is_closed():
    assert dts(stored(0, 40, 10_081, 10_121)) == [0, 40, 80, 120]
    assert dts(stored(0, 40, 10_080)) == [0, 40, 10_080]


def test_packets_without_duration_stay_as_long_as_the_codec_says():
    assert dts(stored(0, 40, 200, 0, length=0), codec_rate=Fraction(50)) == [0, 40, 200, 220]
    assert dts(stored(0, 40, 200, 0, length=0)) == [0, 40, 200, 200]


def test_the_first_packet_may_have_no_time():
    moved_by = Continuous(BASE, start=1000)
    assert [moved_by(packet) for packet in stored(None, 1000, 5_000, 1_000)] == [0, 0, 0, 4_040]
