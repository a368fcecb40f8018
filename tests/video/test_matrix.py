"""Every way of coding in every container, read by each reader: number of frames and pixels must be ffmpeg's."""

from __future__ import annotations

from pathlib import Path

import pytest
from matrix import make, names
from matrix_files import FILES, QUICK, SLOW
from matrix_sources import SOURCES
from reader_matrix import _look, compare, look, sums_of_ffmpeg


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of the matrix are made."""
    return tmp_path_factory.mktemp("matrix")


@pytest.mark.parametrize("name", names(QUICK, SLOW))
def test_frames_are_ffmpegs(folder, name):
    path = make(folder, name, FILES[name], SOURCES)
    try:
        wrong = [f"{seen.asked} ({seen.used or 'none'}): {text}" for seen in look(path) for text in seen.troubles]
    finally:
        path.unlink()
    assert not wrong, "\n".join(wrong)


def test_every_frame_is_told_apart(folder):
    path = make(folder, "h264_bf3.mov", FILES["h264_bf3.mov"], SOURCES)
    sums = sums_of_ffmpeg(path)
    assert len(sums) == len(set(sums)) == SOURCES["h264_bf3"].frames
    assert all(seen.used and not seen.troubles for seen in look(path))


def test_what_is_found_wrong(folder, monkeypatch):
    path = make(folder, "h264_bf0.mov", FILES["h264_bf0.mov"], SOURCES)
    truth = sums_of_ffmpeg(path)
    later, other = [*truth[1:], truth[0]], ["none", *truth[1:]]
    assert "in sequence: 28 wrong, such as 0 is 27" in _look(path, "pyav", later).troubles
    found = _look(path, "pyav", other).troubles
    assert found[0].startswith("in sequence: 1 wrong, such as 0 differs by 0 at most")
    assert "28 frames, ffmpeg decodes 27" in _look(path, "pyav", truth[:-1]).troubles
    assert _look(path, "pyav", []).troubles == ("it gives a frame, ffmpeg decodes none",)


def test_where_ffmpeg_decodes_nothing_an_error_is_right(tmp_path):
    (path := tmp_path / "text.mp4").write_text("no video")
    assert [(seen.used, seen.troubles, bool(seen.error)) for seen in look(path)] == [("", (), True)] * 2


@pytest.mark.slow
def test_the_table(folder, tmp_path, capsys):
    sound = make(folder, "h264_bf0.mkv", FILES["h264_bf0.mkv"], SOURCES)
    (tmp_path / "text.mp4").write_text("no video")
    assert compare(iter([sound, tmp_path / "text.mp4"])) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "h264_bf0.mkv\tpyav\tpyav\tok" in lines
    assert any(line.startswith("text.mp4\tauto\t-\tok, refused: not a readable video") for line in lines)
    assert lines[-1] == "4 readings, 0 differ from ffmpeg"
