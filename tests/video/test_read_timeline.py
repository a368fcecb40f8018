import pytest
from conftest import Make, ffmpeg

from zoomvqa.errors import VideoError
from zoomvqa.video.read_timeline import read_timeline


def test_facts(make_video: Make):
    timeline = read_timeline(make_video("facts.mp4", frames=30))
    assert len(timeline) == 30
    assert (timeline.width, timeline.height, timeline.codec) == (160, 96, "h264")
    assert timeline.seconds(10) == pytest.approx(0.4)
    assert not timeline.open_gop
    assert timeline.hidden == 0


def test_open_gop_is_seen(make_video: Make):
    params = "log-level=none:keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3"
    codec = ("-c:v", "libx265", "-x265-params", params, "-pix_fmt", "yuv420p")
    assert read_timeline(make_video("open.mp4", frames=40, codec=codec)).open_gop


def test_edit_list_is_seen(make_video: Make, tmp_path):
    whole = make_video("whole.mp4", "-g", "60", frames=60)
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "1.0", "-i", whole, "-c", "copy", cut)
    timeline = read_timeline(cut)
    assert timeline.hidden > 0
    assert len(timeline) == 35


def test_missing(tmp_path):
    with pytest.raises(VideoError, match="no such file"):
        read_timeline(tmp_path / "no.mp4")


def test_folder(tmp_path):
    with pytest.raises(VideoError, match="not a file"):
        read_timeline(tmp_path)


def test_empty(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    with pytest.raises(VideoError, match="empty"):
        read_timeline(path)


def test_text_renamed(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_text("not a video at all\n" * 50)
    with pytest.raises(VideoError, match="not a readable video"):
        read_timeline(path)


def test_audio_only(tmp_path):
    path = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", "1", "-c:a", "aac", path)
    with pytest.raises(VideoError, match="no video stream.*audio"):
        read_timeline(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated(make_video: Make, tmp_path, share):
    whole = make_video("faststart.mp4", "-movflags", "+faststart", "-g", "10", size="192x144", frames=100)
    data = whole.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(VideoError, match="cut short|not a readable video"):
        read_timeline(path)


@pytest.mark.parametrize("ending", ["mkv", "webm"])
def test_truncated_matroska(make_video: Make, tmp_path, ending):
    codec = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    whole = make_video(f"cut.{ending}", "-g", "10", size="192x144", frames=100, codec=codec)
    assert len(read_timeline(whole)) == 100
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 55 // 100])
    with pytest.raises(VideoError, match="cut short|not a readable video"):
        read_timeline(path)


def test_unreadable(make_video: Make, tmp_path, monkeypatch):
    path = tmp_path / "secret.mp4"
    path.write_bytes(make_video("facts.mp4").read_bytes())

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("av.open", refuse)  # the tests may run as root, whom no file refuses
    with pytest.raises(VideoError, match="permission denied"):
        read_timeline(path)
