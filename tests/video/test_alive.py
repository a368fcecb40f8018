"""Signs of life."""

import pytest

from zoomvqa.video import alive
from zoomvqa.video.reader import Video


def test_reading_tells_of_life(make_video, monkeypatch):
    told: list[int] = []
    monkeypatch.setattr(alive, "_PAUSE_S", 0.0)
    alive.tell_of_life(lambda: told.append(1))
    try:
        for reader in ("decord", "pyav"):
            video = Video(make_video("alive.mp4", frames=20), reader)
            opened = len(told)
            assert opened
            for _ in video.frames([3, 9]):
                pass
            assert len(told) > opened
            told.clear()
    finally:
        alive.tell_of_life(None)
    alive.beat()
    assert not told


def test_a_listener_is_told_once_a_second_only():
    told: list[int] = []
    alive.tell_of_life(lambda: told.append(1))
    for _ in range(1000):
        alive.beat()
    alive.tell_of_life(None)
    assert len(told) == pytest.approx(1, abs=1)
