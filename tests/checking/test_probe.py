"""What one file is."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Make
from PIL import Image

from zoomvqa.checking.probe import Probe, Question, probe
from zoomvqa.isolated import run_isolated


def look(path: Path, reader: str = "auto", *, decode: bool = True) -> Probe:
    return probe(Question(str(path), reader, decode))


def test_a_sound_video(make_video: Make):
    found = look(make_video("sound.mp4", frames=30))
    assert (found.error, found.complaints, found.reader, found.codec) == ("", (), "decord", "h264")
    assert (found.frames, found.width, found.height) == (30, 160, 96)
    assert (found.seconds, found.fps) == (pytest.approx(1.2), pytest.approx(25))
    assert found.bytes == make_video("sound.mp4").stat().st_size
    assert len(found.prints) == 3 * 64 * 2


def test_the_first_frame_alone(make_video: Make):
    found = look(make_video("sound.mp4", frames=30), decode=False)
    assert (found.error, found.frames, found.prints) == ("", 30, "")


def test_prints_see_other_pictures_but_not_another_encoding(make_video: Make):
    clear, soft, other = (
        look(make_video("sound.mp4", frames=30)),
        look(make_video("soft.mp4", "-crf", "30", frames=30)),
        look(make_video("other.mp4", frames=30, picture="mandelbrot")),
    )
    arrays = [np.frombuffer(bytes.fromhex(p.prints), np.uint8).astype(float) for p in (clear, soft, other)]
    assert np.abs(arrays[0] - arrays[1]).mean() < 1
    assert np.abs(arrays[0] - arrays[2]).mean() > 20
    assert clear.digest != soft.digest


def test_a_copy_has_the_same_digest(make_video: Make, tmp_path):
    copy = shutil.copy(make_video("sound.mp4"), tmp_path / "copy.mp4")
    assert look(copy).digest == look(make_video("sound.mp4")).digest != ""


def test_damage_in_the_middle(make_video: Make, tmp_path):
    data = bytearray(make_video("long.mp4", frames=90, picture="mandelbrot").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(np.random.default_rng(0).integers(256, size=2000, dtype=np.uint8))
    (tmp_path / "hurt.mp4").write_bytes(data)
    found = look(tmp_path / "hurt.mp4")
    assert found.error or found.complaints
    assert any("h264" in text for text in found.complaints) or "decode" in found.error


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_what_is_no_video(tmp_path, content):
    (tmp_path / "x.mp4").write_bytes(content)
    assert look(tmp_path / "x.mp4").error
    assert "\n" not in look(tmp_path / "x.mp4").error
    assert look(tmp_path / "none.mp4").error


def test_raw_video_and_a_folder_of_pictures(tmp_path):
    (tmp_path / "a.yuv").write_bytes(bytes(16 * 16 * 3 // 2) * 5)
    found = look(tmp_path / "a.yuv", "raw:16x16@25")
    assert (found.error, found.frames, found.seconds, found.width) == ("", 5, pytest.approx(0.2), 16)
    assert "give reader=raw" in look(tmp_path / "a.yuv").error
    (tmp_path / "frames").mkdir()
    for i in (1, 2):
        Image.new("RGB", (5, 4), (i, 0, 0)).save(tmp_path / "frames" / f"{i:06d}.png")
    found = look(tmp_path / "frames")
    assert (found.error, found.frames, found.width, found.height, found.seconds) == ("", 2, 5, 4, 0)


@pytest.mark.parametrize("at", [300, 900, 4000])
def test_damaged_files_hang_nothing(make_video: Make, tmp_path, at):
    """Decoding threads that log can wait for the one that waits for them."""
    data = bytearray(make_video("long.mp4", frames=90, picture="mandelbrot").read_bytes())
    data[at : at + 3000] = np.random.default_rng(at).bytes(3000)
    (tmp_path / "hurt.mp4").write_bytes(data)
    question = Question(str(tmp_path / "hurt.mp4"), "auto", decode=True)
    results = run_isolated(probe, [question] * 4, workers=1, seconds=30, preload="zoomvqa.checking.probe")
    for _, found in results:
        assert isinstance(found, Probe)
