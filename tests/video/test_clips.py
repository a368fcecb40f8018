import json
from pathlib import Path

import numpy as np
import pytest

from zoomvqa.video.clips import clip_indices

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "temporal_sampler.json").read_text())


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: f"{c['num_frames']}-{c['num_clips']}x{c['clip_len']}")
def test_indices_of_the_release(case):
    got = clip_indices(case["num_frames"], case["clip_len"], case["frame_interval"], case["num_clips"])
    assert got.tolist() == case["indices"]


def test_training_draws_within_the_stretch():
    draw = np.random.default_rng(0)
    starts = np.array([clip_indices(300, 32, 2, 4, draw)[:, 0] for _ in range(200)])
    for clip in range(4):
        assert starts[:, clip].min() == 75 * clip
        assert starts[:, clip].max() == 75 * clip + 10  # one less than fits, as in the release


def test_training_on_a_short_video_is_the_test_choice():
    short = clip_indices(40, 32, 2, 1, np.random.default_rng(0))
    assert short.tolist() == clip_indices(40, 32, 2, 1).tolist()


def test_refuses_nothing():
    with pytest.raises(ValueError, match="at least 1"):
        clip_indices(0, 32, 2, 4)
