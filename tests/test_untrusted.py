"""Names, lists, videos and checkpoints from strangers do nothing but what they should: no code, no file, no network."""

import io
import os
import pickle
import signal
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from benchmarks.checkpoints import fused
from conftest import Make

from zoomvqa.checkpoints import load_checkpoint, weights_file
from zoomvqa.data.labelled_set import load_set, load_without_files
from zoomvqa.errors import AnnotationError, CheckpointError, UserError, VideoError
from zoomvqa.evaluation.methods import folder_name
from zoomvqa.scoring.inputs import find_inputs
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.data import DataSettings
from zoomvqa.video.reader import Video


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a server on this machine that nobody may ask for anything."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                asked.append(line)
                line.close()

        threading.Thread(target=listen, daemon=True).start()
        yield "127.0.0.1:{}".format(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    assert asked == []


class LateError(BaseException):
    """Nothing takes it for an error of the work."""


@contextmanager
def in_time(seconds: int = 60) -> Iterator[None]:
    """Fail where a block waits for what never comes."""

    def late(*_: object) -> None:
        raise LateError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def work(tmp_path, monkeypatch, make_video: Make) -> Iterator[Path]:
    """The working folder, with a sound video and one outside; nothing may be made in it, or above it."""
    root = tmp_path / "work"
    root.mkdir()
    monkeypatch.chdir(root)
    data = make_video("untrusted.mp4", frames=12).read_bytes()
    (root / "good.mp4").write_bytes(data)
    (tmp_path / "outside.mp4").write_bytes(data)
    made: set[str] = set()
    yield root
    made = tree(tmp_path) - {path for path in tree(tmp_path) if Path(path).name.startswith(("t.", "list."))}
    assert made <= {"work", "work/good.mp4", "outside.mp4", "cache"}


def hostile(address: str, root: Path) -> list[str]:
    """Names that no video here has."""
    return [
        *("../../etc/passwd", "../outside.mp4", "../outside", "/etc/passwd", str(root.parent / "outside.mp4")),
        *(f"http://{address}/a.mp4", f"https://{address}/a.mp4", f"tcp://{address}", f"rtmp://{address}/a"),
        *(f"s3://{address}/a.mp4", f"ftp://{address}/a.mp4", f"hls+http://{address}/a.m3u8", f"rtp://{address}"),
        *("file:///etc/passwd", "file:/etc/passwd", "concat:/etc/passwd|/etc/passwd", "pipe:0", "-", "fd:0"),
        *("subfile,,start,0,end,0,,:/etc/passwd", "crypto:/etc/passwd", "data:text/plain;base64,QQ=="),
        *("async:/etc/passwd", "cache:/etc/passwd", "unix:/tmp/x", "tee:x", "lavfi:testsrc2", "glob:*.mp4"),
        *("; touch pwned", "$(touch pwned).mp4", "`touch pwned`", "| touch pwned", "&& touch pwned", "> pwned"),
        *("--help", "-i", "-y", "-rf", "%s%n", "%(x)s", "{0.__class__}", "${oc.env:HOME}", "~root/x", "~nobody.x/y"),
        *("\x1b]0;pwned\x07", "a\u202e4pm.exe", "x" * 10_000, "x/" * 5_000, "/" * 10_000, "..", ".", "/", "a.mp4/"),
        *("COM1", "NUL", "C:\\Windows\\win.ini", "\\\\server\\share\\a.mp4", "\udcff\udcfe.mp4", "*", "[a-z]*.mp4"),
    ]  # fmt: skip


def settings(root: Path, table: Path, **more: object) -> DataSettings:
    return DataSettings(name="x", root=str(root), annotations=str(table), val_share=0.0, **more)


def test_names_in_annotations(work, address):
    names = [name for name in hostile(address, work) if "\udcff" not in name]  # no text file holds those
    lines = [f'"{name}",{number}' for number, name in enumerate(names)]
    (work / "t.csv").write_text("\n".join(["video,mos", *lines, "good.mp4,3"]))
    with in_time():
        assert [v.name for v in load_set(settings(work, work / "t.csv", missing="skip")).videos] == ["good.mp4"]
        with pytest.raises(AnnotationError, match=f"{len(names)} of {len(names) + 1} videos are not under"):
            load_set(settings(work, work / "t.csv"))
        assert len(load_without_files(settings(work, work / "t.csv")).videos) == len(names) + 1


def test_bytes_in_annotations(work):
    for data, message in (
        (b"video,mos\n\xff\xfe.mp4,3\n", "row 2 is not UTF-8"),
        (b"video,mos\na\0b.mp4,3\n", "zero bytes in it"),
        (b'video,mos\n"a\n../../etc/passwd",3\n', "1 of 1 videos are not under"),
    ):
        (work / "t.csv").write_bytes(data)
        with pytest.raises(AnnotationError, match=message):
            load_set(settings(work, work / "t.csv"))


def test_what_names_in_annotations_lead_to(work):
    """Links, pipes and devices below the root are no videos, and nothing waits for them."""
    os.mkfifo(work / "t.pipe.mp4")
    (work / "t.loop.mp4").symlink_to("t.loop.mp4")
    (work / "t.zero.mp4").symlink_to("/dev/zero")
    (work / "t.folder.mp4").mkdir()
    (work / "t.folder.mp4" / "t.above").symlink_to(work)
    names = ["t.pipe.mp4", "t.loop.mp4", "t.zero.mp4", "t.folder.mp4", "t.above"]
    (work / "t.csv").write_text("\n".join(["video,mos", *(f"{name},1" for name in names), "good,3"]))
    with in_time():
        left = load_set(settings(work, work / "t.csv", missing="skip")).videos
    assert [v.name for v in left] == ["good"]


def test_annotation_files_themselves(work, address):
    os.mkfifo(work / "t.pipe.csv")
    (work / "t.loop.csv").symlink_to("t.loop.csv")
    for file in ("t.pipe.csv", "t.loop.csv", "/dev/zero", ".", f"http://{address}/t.csv", "x" * 10_000, "a\0b"):
        with in_time(), pytest.raises(AnnotationError) as refused:
            load_without_files(settings(work, Path(file)))
        assert len(str(refused.value).splitlines()) == 1
        assert len(str(refused.value)) < 1000


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(fused(small=True), "cpu")


def test_names_in_lists(work, address, scorer):
    names = [name.replace("\udcff\udcfe", "ÿ") for name in hostile(address, work) if name.strip() == name]
    # What a user lists is theirs to read, wherever it lies.
    allowed = {"../outside.mp4", str(work.parent / "outside.mp4"), "good.mp4"}
    (work / "list.txt").write_text("\n".join([*names, "good.mp4"]))
    with in_time(300):
        found = {item.name: scorer.try_score(item.path) for item in find_inputs("list.txt")}
    assert set(found) == {*names, "good.mp4"}
    assert {name for name, result in found.items() if result.score is not None} == allowed
    assert all(result.error for name, result in found.items() if name not in allowed)


def test_names_as_an_input(work, address, scorer):
    found = {"../outside.mp4", str(work.parent / "outside.mp4"), "*", "[a-z]*.mp4", ".", "..", "/", "/" * 10_000}
    for name in {*hostile(address, work), "a\0b"} - found:
        # There is no such file, or it is no video.
        with in_time(), pytest.raises((UserError, VideoError, OSError, ValueError, RuntimeError)):
            for item in find_inputs(name):
                scorer.score(item.path)


def test_paths_that_are_no_files(work, scorer):
    os.mkfifo(work / "t.pipe.mp4")
    (work / "t.loop.mp4").symlink_to("t.loop.mp4")
    (work / "t.zero.mp4").symlink_to("/dev/zero")
    for name in ("t.pipe.mp4", "t.loop.mp4", "t.zero.mp4", "/dev/zero", "/dev/stdin", ".", "/proc/self/mem"):
        with in_time():
            result = scorer.try_score(Path(name))
        assert result.score is None
        assert result.error


MPD = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S">'
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


@pytest.mark.parametrize("name", ["$(touch pwned).mp4", "`touch pwned`.mp4", "; touch pwned;.mp4", "-y", "-", "--help.mp4",
                                  "a\nb.mp4", "%d.mp4", "{x}.mp4", "*.mp4", "\u202e4pm.exe", "a|b.mp4", "a b'\".mp4"])  # fmt: skip
@pytest.mark.parametrize("reader", ["decord", "pyav"])
def test_files_with_such_names_are_read_as_any_other(work, name, reader):
    path = Path(f"t.{name}") if not name.startswith(("-", "$", "`", ";")) else Path(name)
    (work / "good.mp4").rename(path)
    assert len(list(Video(path, reader).frames(range(12)))) == 12
    path.rename(work / "good.mp4")


def test_bytes_that_are_no_text_in_a_file_s_name(work, scorer):
    path = Path("t." + os.fsdecode(b"\xff\xfe.mp4"))
    path.write_bytes((work / "good.mp4").read_bytes())
    assert len(list(Video(path, "pyav").frames([0, 11]))) == 2
    (work / "list.txt").write_bytes(b"t.\xff\xfe.mp4\n")
    with pytest.raises(UserError, match="not a readable text file"):
        find_inputs("list.txt")


class Runs:
    """An object whose unpickling runs a program."""

    def __init__(self, *call: object) -> None:
        self._call = call

    def __reduce__(self) -> tuple:
        function, *arguments = self._call
        return function, tuple(arguments)


@pytest.mark.parametrize(
    "call",
    [
        (os.system, "touch pwned"),
        (eval, "open('pwned', 'w')"),
        (exec, "open('pwned', 'w')"),
        (open, "pwned", "w"),
        (os.mkdir, "pwned"),
        (torch.load, "good.mp4"),
        (getattr, torch.nn.Module, "load"),
        (socket.create_connection, ("127.0.0.1", 9)),
    ],
)
@pytest.mark.parametrize("form", ["zip", "legacy", "pickle"])
def test_checkpoints_with_code(work, call, form):
    content = {"state_dict": {"a": torch.zeros(1)}, "zoomvqa": Runs(*call)}
    if form == "pickle":
        (work / "t.ckpt").write_bytes(pickle.dumps(content))
    else:
        torch.save(content, work / "t.ckpt", _use_new_zipfile_serialization=form == "zip")
    with in_time(), pytest.raises(CheckpointError, match="refused|damaged or not a checkpoint"):
        load_checkpoint(work / "t.ckpt")


def test_paths_of_checkpoints(work, address):
    os.mkfifo(work / "t.pipe")
    (work / "t.loop").symlink_to("t.loop")
    (work / "t.folder").mkdir()
    (work / "t.text").write_text("no checkpoint")
    (work / "t.link").symlink_to("t.text")
    places = ["t.pipe", "t.loop", "t.folder", "t.link", "/dev/zero", "/dev/stdin", "/proc/self/mem", "~nobody.x/y"]
    for place in [*places, f"http://{address}/a.ckpt", f"s3://{address}/a", "$(touch pwned)", "x" * 10_000, "a\0b"]:
        with in_time(), pytest.raises((UserError, OSError, RuntimeError)) as refused:
            load_checkpoint(weights_file(place, "ckpt"))
        assert len(str(refused.value).splitlines()) == 1


def with_pickle(path: Path, change) -> None:
    """Rewrite the pickle within a checkpoint."""
    held = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            new.writestr(item.filename, change(data) if item.filename.endswith("/data.pkl") else data)


def test_a_checkpoint_that_claims_more_than_it_holds(work):
    torch.save({"state_dict": {"a": torch.zeros(4)}}, work / "t.ckpt")

    def claims_more(data: bytes) -> bytes:
        at = data.index(b"K\x04", data.index(b"cpu"))
        return data[:at] + b"\x8a\x06" + (2**40).to_bytes(6, "little") + data[at + 2 :]

    with_pickle(work / "t.ckpt", claims_more)
    with in_time(), pytest.raises(CheckpointError, match="damaged or not a checkpoint"):
        load_checkpoint(work / "t.ckpt")


@pytest.mark.parametrize(
    "content",
    [
        {"zoomvqa": 3, "state_dict": {}},
        {"zoomvqa": {"format": 2, "branch": ["iqa"]}, "state_dict": {}},
        {"zoomvqa": {"format": 2, "branch": "iqa", "network": {"backbone": "../../etc/passwd"}}, "state_dict": {}},
        {"zoomvqa": {"format": 2, "branch": "iqa", "config": "$(touch pwned)"}, "state_dict": {"net.a": "b"}},
        {"zoomvqa": {"format": "2; touch pwned", "branch": "iqa"}, "state_dict": {}},
        {"state_dict": {1: 2, None: torch.zeros(1)}},
        {"state_dict": [torch.zeros(1)]},
        {"state_dict": {"a": torch.zeros(1, dtype=torch.complex64)}},
        {"state_dict": {"a": torch.zeros(3).to_sparse()}},
        {"state_dict": {"a": torch.tensor(float("nan"))}},
        {},
        torch.zeros(3),
    ],
)
def test_checkpoints_of_other_types(work, content):
    torch.save(content, work / "t.ckpt")
    with in_time(), pytest.raises(CheckpointError) as refused:
        load_checkpoint(work / "t.ckpt")
    assert len(str(refused.value).splitlines()) == 1


def test_names_of_methods_stay_in_the_output_folder():
    for name in ("../../x", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "~", "$(touch pwned)", "x\n", "\0"):
        assert Path("out", folder_name(name)).parent == Path("out")
        assert folder_name(name) not in {"", ".", ".."}
