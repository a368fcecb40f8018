"""Videos that stand in for others."""

import pytest
from conftest import Make

from zoomvqa.data.clip_dataset import TrainClips
from zoomvqa.data.clip_order import ClipKey
from zoomvqa.data.frame_dataset import TrainFrames
from zoomvqa.data.frame_order import FrameKey
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.pair_dataset import PairSampling, TrainPairs
from zoomvqa.data.substitutes import Substitutes
from zoomvqa.errors import VideoError
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView

SAMPLING, VIEW = ClipSampling(clip_len=4), ClipView(resize=-1, grid=2, side=16)
FRAMES, FRAME_VIEW = FrameSampling(), FrameView(resize=64, crop=48)


@pytest.fixture
def videos(make_video: Make, tmp_path) -> list[LabelledVideo]:
    """Of three, the second and the third are gone."""
    paths = [make_video("clips_20.mp4", frames=20), tmp_path / "gone.mp4", tmp_path / "too.mp4"]
    return [LabelledVideo(f"v{i}", path, float(i), f"v{i}", "train") for i, path in enumerate(paths)]


@pytest.mark.parametrize("kind", ["clips", "frames", "pairs"])
def test_the_batch_is_whole_with_the_label_of_what_is_in_it(videos, kind):
    if kind == "frames":
        loaded = TrainFrames(videos, [None] * 3, FRAMES, FRAME_VIEW)
        keys = [FrameKey(1, 7, 3), FrameKey(0, 0, 3), FrameKey(1, 0, 4)]
    else:
        about = PairSampling(FRAMES, FRAME_VIEW, SAMPLING, VIEW)
        pairs = kind == "pairs"
        loaded = TrainPairs(videos, about, 2) if pairs else TrainClips(videos, [None] * 3, SAMPLING, VIEW)
        keys = [ClipKey(1, 0, 3), ClipKey(0, 0, 3), ClipKey(1, 0, 4)]
    batch = loaded[keys]
    assert batch.mos.tolist() == [0.0, 0.0, 0.0]
    assert [told.split(": ")[0] for told in batch.failed] == ["v1", "v2"]
    assert "no such file" in batch.failed[0]
    assert loaded[keys].failed == ()


def test_when_none_is_left(videos):
    def read(video: LabelledVideo) -> int:
        raise VideoError("broken")

    with pytest.raises(VideoError, match="no training video can be read any more; the last: v0: broken"):
        Substitutes(videos).read(1, read)
