"""One decoding for several who look."""

import numpy as np
import pytest
from conftest import Make

from zoomvqa.errors import VideoError
from zoomvqa.video.reader import Video
from zoomvqa.views.decoding import one_pass


class Keeper:
    def __init__(self, wanted):
        self.wanted, self.found = wanted, []

    def take(self, index, frame):
        self.found.append((index, frame))


def test_everyone_gets_their_frames_and_each_is_decoded_once(make_video: Make, monkeypatch):
    path = make_video("one_pass.mp4", frames=30)
    whole = list(Video(path).frames(range(30)))
    seen = []
    frames = Video.frames
    monkeypatch.setattr(Video, "frames", lambda self, indices: seen.append(list(indices)) or frames(self, indices))
    keepers = [Keeper([0, 1, 7]), Keeper([1, 2, 29]), Keeper([])]
    one_pass(Video(path), keepers)
    assert seen == [[0, 1, 2, 7, 29]]
    for keeper in keepers:
        assert [index for index, _ in keeper.found] == keeper.wanted
        for index, frame in keeper.found:
            np.testing.assert_array_equal(frame, whole[index])


def test_trouble_comes_through(make_video: Make):
    class Picky(Keeper):
        def take(self, index, frame):
            raise VideoError("not this one")

    with pytest.raises(VideoError, match="not this one"):
        one_pass(Video(make_video("one_pass.mp4", frames=30)), [Picky([3])])
