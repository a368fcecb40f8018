"""Files that are no videos of their own: lists of others, and names that mean something to FFmpeg."""

import os
import shutil
from pathlib import Path

import pytest
from conftest import Make

from untrusted.conftest import in_time
from zoomvqa.errors import VideoError
from zoomvqa.video.reader import Video

MPD = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT9S">'
REPRESENTATION = '<Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL></Representation>'
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
PLAYLISTS = {
    "hls": HLS,
    "hls with a key": HLS.replace("#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="{}"\n#EXTINF'),
    "hls of lists": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{}\n",
    "dash": f'{MPD}<Period><AdaptationSet mimeType="video/mp4">{REPRESENTATION}</AdaptationSet></Period></MPD>',
    "concat": "ffconcat version 1.0\nfile {}\n",
    "asx": '<asx version="3.0"><entry><ref href="{}"/></entry></asx>',
    "reference": "[Reference]\nRef1={}\n",
    "smil": '<smil><body><video src="{}"/></body></smil>',
}


@pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".ts"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_lists_that_pretend_to_be_videos_ask_nobody(work, address, kind, ending):
    path = work / f"t.list{ending}"
    for scheme in ("http", "https", "tcp", "rtmp", "rtp", "udp", "ftp", "gopher", "concat:http", "crypto+http"):
        path.write_text(PLAYLISTS[kind].replace("{}", f"{scheme}://{address}/a.ts"))
        for reader in ("auto", "pyav", "decord"):
            with in_time(), pytest.raises(VideoError):
                next(Video(path, reader).frames([0]))


def test_session_descriptions_ask_nobody(work, address):
    host, port = address.split(":")
    text = f"v=0\no=- 0 0 IN IP4 {host}\ns=x\nc=IN IP4 {host}\nt=0 0\nm=video {port} RTP/AVP 96\n"
    (work / "t.mp4").write_text(f"{text}a=rtpmap:96 H264/90000\n")
    with in_time(), pytest.raises(VideoError):
        Video(work / "t.mp4")


NAMES = ("$(touch pwned).mp4", "`touch pwned`.mp4", "; touch pwned;.mp4", "-y", "-", "--help.mp4", "t.a\nb.mp4",
         "t.%d.mp4", "t.{x}.mp4", "t.*.mp4", "t.\u202e4pm.exe", "t.a|b.mp4", "t.a b'\".mp4")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reader", ["decord", "pyav"])
def test_files_with_such_names_are_read_as_any_other(work, name, reader):
    path = Path(name)
    (work / "good.mp4").rename(path)
    assert len(list(Video(path, reader).frames(range(12)))) == 12
    path.rename(work / "good.mp4")


@pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".ts"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_lists_that_pretend_to_be_videos_read_no_other_file(work, make_video: Make, kind, ending):
    shutil.copy(make_video("untrusted.ts", frames=12), work / "t.other.ts")
    path = work / f"t.list{ending}"
    for other in (
        "t.other.ts",
        f"{work}/t.other.ts",
        "file:t.other.ts",
        f"file://{work}/t.other.ts",
        "./t.other.ts",
    ):
        path.write_text(PLAYLISTS[kind].replace("{}", other))
        for reader in ("auto", "pyav", "decord"):
            with in_time(), pytest.raises(VideoError):
                next(Video(path, reader).frames([0]))


def test_a_name_of_many_pictures(work):
    (work / "t.%03d.png").write_bytes(b"x")
    with in_time(), pytest.raises(VideoError, match="not a readable video"):
        Video(work / "t.%03d.png")


@pytest.mark.parametrize("reader", ["auto", "decord", "pyav"])
def test_files_with_the_names_of_addresses(work, make_video: Make, address, reader):
    """Of the file itself, not of what FFmpeg takes its name for."""
    good = Path("good.mp4").read_bytes()
    shutil.copy(make_video("untrusted_other.mp4", frames=5, size="64x48"), "t.other.mp4")
    names = [f"http:/{address}/t.mp4", f"tcp:/{address}", "concat:t.other.mp4|t.other.mp4", "file:t.other.mp4"]
    names += [
        "subfile,,start,0,end,99999,,:t.other.mp4",
        "async:t.other.mp4",
        "cache:t.other.mp4",
        "pipe:0",
        "data:x",
    ]
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(good)
        with in_time():
            frames = list(Video(path, reader).frames(range(12)))
        assert len(frames) == 12
        assert frames[0].shape == (96, 160, 3)
        path.unlink()
        for folder in [p for p in path.parents if p != Path()]:
            folder.rmdir()


def test_bytes_that_are_no_text_are_read_by_the_other_reader(work):
    path = Path("t." + os.fsdecode(b"\xff\xfe.mp4"))
    path.write_bytes((work / "good.mp4").read_bytes())
    assert Video(path).reader == "pyav"
    with pytest.raises(VideoError, match="decord cannot open it"):
        Video(path, "decord")
