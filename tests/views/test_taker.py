"""The clips of real small videos."""

import numpy as np
import pytest
from conftest import Make

from zoomvqa.errors import DamagedError
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.read_timeline import read_timeline
from zoomvqa.video.reader import Video
from zoomvqa.views import PartTaker, look_of
from zoomvqa.views.crops import FrameCrops
from zoomvqa.views.decoding import one_pass, passing
from zoomvqa.views.fragments import FragmentCutter, plan_view
from zoomvqa.views.store import open_store

SAMPLING = ClipSampling(clip_len=4, frame_interval=2, test_clips=3)
VIEW = ClipView(resize=64, grid=2, side=16)
LOOK = look_of(SAMPLING, VIEW)
CROPS = FrameView(resize=64, crop=48)
FRAMES = look_of(FrameSampling(rate=10.0), CROPS)


def taken(path, look=LOOK, *args, **options) -> PartTaker:
    """What a look has taken of a whole video."""
    store = open_store(path)
    taker = PartTaker(look, store, *args, whole=True, **options)
    one_pass(store, [taker])
    return taker


def test_the_pictures_are_those_of_the_frames(make_video: Make):
    """Each picture equals its frame cut alone, also where clips wrap around and share frames."""
    for frames in (40, 7, 1):
        video = make_video(f"clips_{frames}.mp4", frames=frames)
        taker = taken(video)
        pictures, indices = taker.parts(), taker.indices
        assert pictures.shape == (3, 4, 32, 32, 3)
        whole = list(Video(video).frames(range(frames)))
        cutter = FragmentCutter((96, 160), plan_view(VIEW, 96, 160))
        for clip, numbers in zip(pictures, indices, strict=True):
            np.testing.assert_array_equal(clip, np.stack([cutter(whole[i]) for i in numbers]))
        spans = taker.spans()
        assert [(span.first, span.last) for span in spans] == [(clip[0], clip[-1]) for clip in indices.tolist()]
        np.testing.assert_allclose([span.end for span in spans], indices[:, -1] / 25)


def test_drawn_clips(make_video: Make):
    video = make_video("clips_40.mp4", frames=40)

    def drawn(seed: int, draws: int = 1) -> tuple[np.ndarray, np.ndarray]:
        taker = taken(video, LOOK, np.random.default_rng(seed), 2, draws)
        return taker.indices, taker.parts()

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
    taken(make_video("clips_7.mp4", frames=7))
    assert seen == [sorted(set(seen[0]))]


def test_frames_are_those_that_a_view_cuts_alone(make_video: Make):
    """Also where a frame is chosen twice."""
    video = make_video("clips_40.mp4", frames=40)
    taker = taken(video, look_of(FrameSampling(rate=40.0), CROPS))
    chosen = taker.indices[:, 0].tolist()
    assert len(set(chosen)) < len(chosen)
    whole, view = list(Video(video).frames(range(40))), FrameCrops(CROPS)
    parts = taker.parts()
    assert parts.shape == (len(chosen), 1, 1, 3, 48, 48)
    for part, index in zip(parts, chosen, strict=True):
        np.testing.assert_array_equal(part[0], view.test_crops(whole[index]))


def test_random_crops_are_those_of_kept_frames(make_video: Make):
    video = make_video("clips_40.mp4", frames=40)
    taker = taken(video, FRAMES, np.random.default_rng(5), 6)
    indices, parts = taker.indices[:, 0].tolist(), taker.parts()
    assert indices == sorted(indices)
    draw = np.random.default_rng(5)
    store = open_store(video)
    assert FRAMES.sampling.choose(store, draw, 6)[:, 0].tolist() == indices
    seeds = np.random.default_rng(int(draw.integers(2**63)))
    whole, view = list(Video(video).frames(range(40))), FrameCrops(CROPS)
    for part, index in zip(parts, indices, strict=True):
        expected = view.random_crop(view.kept(whole[index]), int(seeds.integers(2**63)))
        np.testing.assert_array_equal(part, expected[None, None])


@pytest.mark.parametrize("look", [LOOK, FRAMES], ids=["clips", "frames"])
def test_parts_come_as_soon_as_they_are_whole(make_video: Make, look):
    """In their order, as many together as the sampling says; the rest at the end."""
    video = make_video("clips_40.mp4", frames=40)
    store = open_store(video)
    taker, early, pieces = PartTaker(look, store), [], []
    for _ in passing(store, [taker]):
        before = len(pieces)
        pieces += list(taker.ready())
        early.append(len(pieces) - before)
    together, count = look.sampling.together, len(taker.indices)
    assert [len(piece) for piece in pieces] == [min(together, count - at) for at in range(0, count, together)]
    assert max(early) == 1
    np.testing.assert_array_equal(np.concatenate(pieces), taken(video, look).parts())


def test_a_file_that_does_not_tell_its_size(make_video: Make, tmp_path):
    """What tells it is at the start of a group of pictures, which is cut off here."""
    data = make_video("size_untold.ts", "-g", "500", size="320x240", frames=50).read_bytes()
    path = tmp_path / "beheaded.ts"
    path.write_bytes(data[len(data) // 2 :])
    with pytest.raises(DamagedError, match="the file is damaged: 0 sound frames of"):
        read_timeline(path)
    with pytest.raises(DamagedError, match="the file is damaged: 0 sound frames of"):
        taken(path)
