"""Frames in memory behind the interface of a video."""

import numpy as np
import pytest
import torch

from zoomvqa.errors import VideoError
from zoomvqa.video.array_video import ArrayVideo
from zoomvqa.video.rate import frames_at_rate

FRAMES = np.random.default_rng(0).integers(0, 256, (60, 24, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("frames", [FRAMES, torch.from_numpy(FRAMES), list(FRAMES)])
def test_frames_and_times(frames):
    video = ArrayVideo(frames, 25)
    assert (len(video.timeline), video.timeline.width, video.timeline.height) == (60, 32, 24)
    assert video.timeline.seconds(50) == 2.0
    assert (video.reader, video.note) == ("array", "")
    assert frames_at_rate(video.timeline, 2.0) == [0, 1, 11, 23, 36, 48]
    np.testing.assert_array_equal(np.stack(list(video.frames([3, 3, 59]))), FRAMES[[3, 3, 59]])


@pytest.mark.parametrize(
    "frames", [FRAMES[0], FRAMES.astype(np.float32), FRAMES[:0], FRAMES.transpose(0, 3, 1, 2)]
)
def test_what_is_no_video(frames):
    with pytest.raises(VideoError, match="frames: expected .* uint8 RGB, got"):
        ArrayVideo(frames, 25)


@pytest.mark.parametrize("fps", [0, -1, 1e-6, float("nan"), float("inf")])
def test_a_rate_that_is_none(fps):
    with pytest.raises(VideoError, match="fps: expected a number above 0"):
        ArrayVideo(FRAMES, fps)


def test_rates_of_other_types():
    for fps in (np.float32(25), torch.tensor(25.0), "25", 25):
        assert ArrayVideo(FRAMES, fps).timeline.seconds(50) == 2.0
    for frames, fps in ((FRAMES, "fast"), (FRAMES, None), ([FRAMES[0], FRAMES[0, :5]], 25)):
        with pytest.raises(VideoError, match="frames, fps: expected an array of frames and a number"):
            ArrayVideo(frames, fps)
