"""Videos that stand in for others."""

import pytest
from conftest import Make

from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.part_order import PartKey
from zoomvqa.data.part_training import PartTraining, TrainFrames
from zoomvqa.data.substitutes import Substitutes
from zoomvqa.data.video_order import VideoKey
from zoomvqa.data.video_training import TrainParts, VideoTraining
from zoomvqa.errors import VideoError
from zoomvqa.settings.branch import PartLoading, VideoLoading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.views import look_of

CLIPS = look_of(ClipSampling(clip_len=4), ClipView(resize=-1, grid=2, side=16))
FRAMES = look_of(FrameSampling(), FrameView(resize=64, crop=48))


@pytest.fixture
def videos(make_video: Make, tmp_path) -> list[LabelledVideo]:
    """Of three, the second and the third are gone."""
    paths = [make_video("clips_20.mp4", frames=20), tmp_path / "gone.mp4", tmp_path / "too.mp4"]
    return [LabelledVideo(f"v{i}", path, float(i), f"v{i}", "train") for i, path in enumerate(paths)]


@pytest.mark.parametrize("kind", ["clips", "frames", "pairs"])
def test_the_batch_is_whole_with_the_label_of_what_is_in_it(videos, kind):
    if kind == "frames":
        loaded = TrainFrames(videos, [None] * 3, PartTraining("a", FRAMES, PartLoading(cache=False)))
        keys = [PartKey(1, 7, 3), PartKey(0, 0, 3), PartKey(1, 0, 4)]
    else:
        looks = {"a": FRAMES, "b": CLIPS} if kind == "pairs" else {"b": CLIPS}
        source = VideoTraining(looks, VideoLoading(), parts=2)
        loaded = TrainParts(videos, dict.fromkeys(("v0", "v1", "v2")), source)
        keys = [VideoKey(1, 0, 3), VideoKey(0, 0, 3), VideoKey(1, 0, 4)]
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
