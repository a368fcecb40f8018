"""Which frames the clips of a video are made of, after FAST-VQA (arXiv 2207.02595)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def clip_indices(
    num_frames: int, clip_len: int, frame_interval: int, num_clips: int, draw: np.random.Generator | None = None
) -> NDArray[np.int64]:
    """Return the frames of each clip.

    The video is split into `num_clips` stretches of `num_frames // num_clips` frames. In each, a clip takes
    `clip_len` frames `frame_interval` apart, starting in the middle of what the stretch leaves over, or
    anywhere in it when `draw` is given. In a stretch with nothing to spare a clip starts at its beginning.
    Indices beyond the end go on from the start of the video.

    Args:
        num_frames: length of the video, at least 1.
        clip_len: frames a clip.
        frame_interval: from one frame of a clip to the next.
        num_clips: clips a video.
        draw: for training; None is the deterministic choice for testing.

    Returns:
        (num_clips, clip_len) int64, each from 0 to `num_frames` − 1.

    Raises:
        ValueError: a number is below 1.
    """
    if min(num_frames, clip_len, frame_interval, num_clips) < 1:
        raise ValueError("num_frames, clip_len, frame_interval and num_clips must be at least 1")
    stretch = num_frames // num_clips
    spare = stretch - clip_len * frame_interval
    starts = np.arange(num_clips) * stretch
    if spare > 0:
        starts = starts + (spare // 2 if draw is None else draw.integers(0, spare, num_clips))
    return (starts[:, None] + np.arange(clip_len) * frame_interval) % num_frames
