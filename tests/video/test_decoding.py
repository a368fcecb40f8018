"""Packets without a picture, which are no frames: a last delimiter, parameter sets stored as a frame."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from conftest import H264, Make
from damage import garbled
from reader_matrix import look, sums_of_ffmpeg

from zoomvqa.errors import DamagedError
from zoomvqa.video.container import open_container, packets_of
from zoomvqa.video.decoding import decoded, set_up_decoder
from zoomvqa.video.reader import Video
from zoomvqa.video.units import picture_test

SHORT_GROUPS = (*H264, "-g", "10")
B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "2")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=0:keyint=10")
DELIMITER = {"h264": b"\0\0\0\1\x09\x30", "hevc": b"\0\0\0\1\x46\x01\x50"}


def with_packets(path: Path, output: Path, extra: bytes, before: set[int], hidden: int = 0) -> Path:
    """Copy a video without B frames, and store a packet more before some; an edit list hides the first packets."""
    with av.open(str(path)) as source, av.open(str(output), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        late = None
        for number, packet in enumerate(p for p in source.demux(video=0) if p.size):
            packets = [av.Packet(extra), packet] if number in before else [packet]
            time, base, step = packet.pts, packet.time_base, packet.duration
            late = -hidden * step if late is None else late
            for each in packets:
                each.stream, each.time_base, each.duration = stream, base, step
                each.pts = each.dts = time + late
                target.mux(each)
                late += step
            late -= step
    return output


def check(path: Path, frames: int = 30) -> None:
    """All readers give the frames that ffmpeg gives."""
    assert len(sums_of_ffmpeg(path)) == frames
    seen = look(path)
    assert [each.troubles for each in seen] == [(), ()], seen
    assert all(each.used for each in seen)
    assert Video(path).timeline.counted


@pytest.mark.parametrize(("codec", "options"), [("h264", SHORT_GROUPS), ("h264", B_FRAMES), ("hevc", HEVC)])
def test_a_delimiter_at_the_end_of_a_raw_stream(make_video: Make, tmp_path, codec, options):
    sound = make_video(f"raw{len(options)}.{codec}", codec=options)
    path = tmp_path / sound.name
    path.write_bytes(sound.read_bytes() + DELIMITER[codec])
    check(path)


def sets_of(path: Path) -> bytes:
    """Return the parameter sets of an MP4 file of H.264, as its packets store units."""
    with av.open(str(path)) as container:
        record = container.streams.video[0].codec_context.extradata
        first = bytes(next(container.demux(video=0)))
    size = int.from_bytes(record[6:8], "big")
    at = 8 + size + 1
    picture = record[at + 2 : at + 2 + int.from_bytes(record[at : at + 2], "big")]
    found = b"".join(len(each).to_bytes(4, "big") + each for each in (record[8 : 8 + size], picture))
    has_picture = picture_test("h264", record)
    assert has_picture(first)
    assert not has_picture(found)
    return found


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("before", [{0}, {10}, {0, 7, 20}])
def test_parameter_sets_stored_as_frames(make_video: Make, tmp_path, ending, before):
    sound = make_video("plain.mp4", codec=SHORT_GROUPS)
    check(with_packets(sound, tmp_path / f"sets.{ending}", sets_of(sound), before))


def test_parameter_sets_among_hidden_frames(make_video: Make, tmp_path):
    sound = make_video("plain.mp4", codec=SHORT_GROUPS)
    path = with_packets(sound, tmp_path / "sets.mov", sets_of(sound), {0, 2, 12}, hidden=6)
    check(path, 26)
    assert Video(path).timeline.hidden


def test_delimiters_between_pictures(make_video: Make, tmp_path):
    sound = make_video("plain_hevc.mkv", codec=HEVC)
    delimiter = (3).to_bytes(4, "big") + DELIMITER["hevc"][4:]
    check(with_packets(sound, tmp_path / "delimiters.mkv", delimiter, {5, 12}))


def marked(path: Path) -> list[bool]:
    """Return of each frame that threads decode whether it is marked as corrupt."""
    with open_container(path) as container:
        stream = container.streams.video[0]
        decoder = set_up_decoder(stream, threads=True)
        return [frame.is_corrupt for frame in decoded(packets_of(container, stream), decoder)]


@pytest.mark.parametrize("ending", ["mp4", "avi"])  # with lengths of units, and with start codes
def test_damage_in_the_last_packet_is_found_each_time(make_video: Make, tmp_path, ending):
    sound = make_video(f"last.{ending}", size="640x480", codec=B_FRAMES)
    assert marked(sound) == [False] * 30
    path = garbled(sound, tmp_path, {29})
    assert all(sum(marked(path)) == 1 for _ in range(10))  # threads race
    with pytest.raises(DamagedError):
        list(Video(path, "pyav").frames(range(30)))
