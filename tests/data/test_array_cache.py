import numpy as np
import pytest
from conftest import Make

from zoomvqa.data.array_cache import ArrayCache
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.part_training import PartTraining
from zoomvqa.errors import VideoError
from zoomvqa.settings.branch import PartLoading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.views import look_of

SAMPLING = FrameSampling()


def test_there_and_back(make_video: Make, tmp_path):
    video = make_video("cache.mp4", frames=40)
    cache = ArrayCache(str(tmp_path), "frames", 1.0)
    entry = cache.entry(video, SAMPLING.model_dump(), 64, "auto")
    source = PartTraining("iqa", look_of(SAMPLING, FrameView(resize=64, crop=64)), PartLoading(cache=False))
    frames = source.kept_frames(LabelledVideo("v", video, 1.0, "v", "train"))
    assert frames.shape[1:] == (64, 106, 3)
    assert cache.add(entry, frames, 0)
    np.testing.assert_array_equal(cache.load(entry), frames)
    assert cache.used_bytes() == entry.stat().st_size


def test_an_entry_belongs_to_its_settings_and_its_file(make_video: Make, tmp_path):
    cache = ArrayCache(str(tmp_path), "frames", 1.0)
    video = tmp_path / "a.mp4"
    video.write_bytes(make_video("cache.mp4", frames=40).read_bytes())
    entries = {
        cache.entry(video, SAMPLING.model_dump(), 64, "auto"),
        cache.entry(video, SAMPLING.model_dump(), 65, "auto"),
        cache.entry(video, FrameSampling(rate=1).model_dump(), 64, "auto"),
        cache.entry(video, SAMPLING.model_dump(), 64, "pyav"),
    }
    video.write_bytes(make_video("cache2.mp4", frames=41).read_bytes())
    entries.add(cache.entry(video, SAMPLING.model_dump(), 64, "auto"))
    assert len(entries) == 5


def test_limit(tmp_path):
    cache = ArrayCache(str(tmp_path), "frames", 1e-6)
    assert not cache.add(tmp_path / "ab" / "x.npy", np.zeros((1, 20, 20, 3), dtype=np.uint8), 0)
    assert cache.add(tmp_path / "ab" / "x.npy", np.zeros((1, 10, 10, 3), dtype=np.uint8), 0)
    assert not cache.add(tmp_path / "ab" / "y.npy", np.zeros((1, 10, 10, 3), dtype=np.uint8), 800)
    assert [f.name for f in (tmp_path / "ab").iterdir()] == ["x.npy"]


def test_damaged_entry(tmp_path):
    entry = tmp_path / "bad.npy"
    entry.write_bytes(b"\x93NUMPY garbage")
    with pytest.raises(VideoError, match="damaged.*delete it"):
        ArrayCache.load(entry)
