"""The clips of real small videos."""

import numpy as np
import pytest
from conftest import Make

from zoomvqa.data.clip_source import ClipSource
from zoomvqa.data.fragments import FragmentCutter, plan_view
from zoomvqa.errors import DamagedError, VideoError
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.read_timeline import read_timeline
from zoomvqa.video.reader import Video

SAMPLING = ClipSampling(clip_len=4, frame_interval=2, test_clips=3)
VIEW = ClipView(resize=64, grid=2, side=16)


def test_the_pictures_are_those_of_the_frames(make_video: Make):
    """Each picture equals its frame cut alone, also where clips wrap around and share frames."""
    for frames in (40, 7, 1):
        video = make_video(f"clips_{frames}.mp4", frames=frames)
        source = ClipSource(video, SAMPLING, VIEW, 3)
        pictures = source.pictures()
        assert pictures.shape == (3, 4, 32, 32, 3)
        whole = list(Video(video).frames(range(frames)))
        cutter = FragmentCutter((96, 160), plan_view(VIEW, 96, 160))
        for clip, numbers in zip(pictures, source.taker.indices, strict=True):
            np.testing.assert_array_equal(clip, np.stack([cutter(whole[i]) for i in numbers]))
        np.testing.assert_allclose(source.taker.times(), source.taker.indices / 25)


def test_drawn_clips(make_video: Make):
    video = make_video("clips_40.mp4", frames=40)

    def drawn(seed: int, draws: int = 1) -> tuple[np.ndarray, np.ndarray]:
        source = ClipSource(video, SAMPLING, VIEW, 2, draw=np.random.default_rng(seed), draws=draws)
        return source.taker.indices, source.pictures()

    same, other = drawn(1), drawn(2)
    np.testing.assert_array_equal(same[1], drawn(1)[1])
    assert not np.array_equal(same[1], other[1])
    indices, pictures = drawn(1, draws=5)
    assert (indices.shape, pictures.shape) == ((10, 4), (10, 4, 32, 32, 3))
    assert len(np.unique(pictures.reshape(10, -1), axis=0)) == 10


def test_every_frame_is_decoded_once(make_video: Make, monkeypatch):
    seen = []
    frames = Video.frames
    monkeypatch.setattr(Video, "frames", lambda self, indices: seen.append(list(indices)) or frames(self, indices))
    ClipSource(make_video("clips_7.mp4", frames=7), SAMPLING, VIEW, 3).pictures()
    assert seen == [sorted(set(seen[0]))]


def test_a_folder_is_no_video(tmp_path):
    with pytest.raises(VideoError, match="clips need the video itself"):
        ClipSource(tmp_path, SAMPLING, VIEW, 1)


def test_a_file_that_does_not_tell_its_size(make_video: Make, tmp_path):
    """What tells it is at the start of a group of pictures, which is cut off here."""
    data = make_video("size_untold.ts", "-g", "500", size="320x240", frames=50).read_bytes()
    path = tmp_path / "beheaded.ts"
    path.write_bytes(data[len(data) // 2 :])
    with pytest.raises(DamagedError, match="the file is damaged: 0 sound frames of"):
        read_timeline(path)
    with pytest.raises(DamagedError, match="the file is damaged: 0 sound frames of"):
        ClipSource(path, SAMPLING, VIEW, 2).pictures()
